// hypot.c — hypot and hypotf of every glibc: those of 2.35 would keep the library from systems that have 2.34.
//
// Swift's own library calls them. The linker's --wrap sends these calls here.
#if defined(__linux__) && defined(__x86_64__)
__asm__(".symver oldHypot, hypot@GLIBC_2.2.5");
__asm__(".symver oldHypotf, hypotf@GLIBC_2.2.5");
double oldHypot(double, double);
float oldHypotf(float, float);
double __wrap_hypot(double x, double y) { return oldHypot(x, y); }
float __wrap_hypotf(float x, float y) { return oldHypotf(x, y); }
#endif
