"""Helpers under the names of Stable-Baselines3's modules.

A script in which `stable_baselines3` is replaced by `offpolicy` finds what it imports, and needs neither Stable-Baselines3 nor
PyTorch. The modules are in the package itself; here are their other names.
"""
