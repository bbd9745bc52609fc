// rltools.cpp — RLtools' SAC, timed: updates alone (U), or Pendulum-v1 from the first step to the last (W).
//
//   rltools U THREADS WARM-UP TIMED      17 observations, 6 actions, 256 × 256, batch 256, 1,000,000 random transitions
//   rltools W THREADS                    10,000 steps, 64 × 64, batch 100, one update a step after the first 100
//
// Threads are those of the BLAS, set by its environment variable before the start; the number here is only printed.
// Everything about RLtools is its default but the sizes, the optimiser's learning rate and ε, and the initial α.

#include <rl_tools/operations/cpu_mux.h>
#include <rl_tools/rl/environments/environments.h>

namespace rlt = rl_tools;

using DEVICE = rlt::devices::DEVICE_FACTORY<>;
using RNG = DEVICE::SPEC::RANDOM::ENGINE<>;
using TI = DEVICE::index_t;
using T = float;
using TYPE_POLICY = rlt::numeric_types::Policy<T>;

// the loop of RLtools finds these by name, so they stand before it

/// The sizes of a task, for an algorithm that is given its transitions: it is never stepped.
struct Transitions : rlt::rl::environments::Environment<T, TI> {
    struct State { static constexpr TI DIM = 17; };
    struct Parameters {};
    struct Observation { static constexpr TI DIM = 17; };
    using ObservationPrivileged = Observation;
    static constexpr TI ACTION_DIM = 6;
    static constexpr TI OBSERVATION_DIM = 17;
    static constexpr TI EPISODE_STEP_LIMIT = 1000;
};

namespace rl_tools {
    template <typename D> void malloc(D&, const Transitions&) {}
    template <typename D> void free(D&, const Transitions&) {}
    template <typename D> void init(D&, const Transitions&) {}
    template <typename D> void initial_parameters(D&, const Transitions&, Transitions::Parameters&) {}
    template <typename D> void initial_state(
        D&, const Transitions&, const Transitions::Parameters&, Transitions::State&) {}
}

#include <rl_tools/nn/optimizers/adam/instance/operations_generic.h>
#include <rl_tools/nn/operations_cpu_mux.h>
#include <rl_tools/nn/layers/sample_and_squash/operations_generic.h>
#include <rl_tools/rl/environments/pendulum/operations_generic.h>
#include <rl_tools/nn_models/mlp/operations_generic.h>
#include <rl_tools/nn_models/sequential/operations_generic.h>
#include <rl_tools/nn_models/random_uniform/operations_generic.h>
#include <rl_tools/nn/optimizers/adam/operations_generic.h>
#include <rl_tools/rl/algorithms/sac/loop/core/config.h>
#include <rl_tools/rl/algorithms/sac/loop/core/operations_generic.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

using Clock = std::chrono::steady_clock;

#if defined(RL_TOOLS_BACKEND_ENABLE_MKL)
static_assert(DEVICE::DEVICE_ID == rlt::devices::DeviceId::CPU_MKL);
constexpr const char* CONTENDER = "rltools-mkl";
#elif defined(RL_TOOLS_BACKEND_ENABLE_OPENBLAS)
static_assert(DEVICE::DEVICE_ID == rlt::devices::DeviceId::CPU_OPENBLAS);
constexpr const char* CONTENDER = "rltools-openblas";
#else
#error "choose a BLAS"
#endif

static double seconds(Clock::time_point since) { return std::chrono::duration<double>(Clock::now() - since).count(); }

template <typename ENVIRONMENT, TI BATCH_SIZE, TI WIDTH, TI STEPS, TI CAPACITY>
struct Parameters : rlt::rl::algorithms::sac::loop::core::DefaultParameters<TYPE_POLICY, TI, ENVIRONMENT> {
    struct SAC_PARAMETERS : rlt::rl::algorithms::sac::DefaultParameters<TYPE_POLICY, TI, ENVIRONMENT::ACTION_DIM> {
        static constexpr TI ACTOR_BATCH_SIZE = BATCH_SIZE;
        static constexpr TI CRITIC_BATCH_SIZE = BATCH_SIZE;
        static constexpr T ALPHA = 1;
    };
    struct OPTIMIZER_PARAMETERS : rlt::nn::optimizers::adam::DEFAULT_PARAMETERS_PYTORCH<TYPE_POLICY> {
        static constexpr T ALPHA = WIDTH == 256 ? 3e-4 : 1e-3;
    };
    using ACTOR_OPTIMIZER_PARAMETERS = OPTIMIZER_PARAMETERS;
    using CRITIC_OPTIMIZER_PARAMETERS = OPTIMIZER_PARAMETERS;
    using ALPHA_OPTIMIZER_PARAMETERS = OPTIMIZER_PARAMETERS;
    static constexpr TI STEP_LIMIT = STEPS;
    static constexpr TI REPLAY_BUFFER_CAP = CAPACITY;
    static constexpr TI ACTOR_HIDDEN_DIM = WIDTH;   // three layers: two of this width and the last
    static constexpr TI CRITIC_HIDDEN_DIM = WIDTH;
};

template <typename ENVIRONMENT, TI BATCH_SIZE, TI WIDTH, TI STEPS, TI CAPACITY>
using Config = rlt::rl::algorithms::sac::loop::core::Config<
    TYPE_POLICY, TI, RNG, ENVIRONMENT, Parameters<ENVIRONMENT, BATCH_SIZE, WIDTH, STEPS, CAPACITY>>;

static int updates(int threads, int warmUp, int timed) {
    using CONFIG = Config<Transitions, 256, 256, 1'000'000, 1'000'000>;
    static typename CONFIG::template State<CONFIG> ts;
    DEVICE device;
    rlt::init(device);
    rlt::malloc(device, ts);
    rlt::init(device, ts, 1);

    // the transitions: normal observations and rewards, uniform actions, one in a thousand terminated
    auto& buffer = rlt::get(ts.off_policy_runner.replay_buffers, 0, 0);
    std::mt19937_64 random(1);
    std::normal_distribution<T> normal;
    std::uniform_real_distribution<T> uniform(-1, 1);
    for (TI row = 0; row < 1'000'000; row++) {
        for (TI i = 0; i < 17; i++) {
            rlt::set(buffer.observations, row, i, normal(random));
            rlt::set(buffer.next_observations, row, i, normal(random));
        }
        for (TI i = 0; i < 6; i++) rlt::set(buffer.actions, row, i, uniform(random));
        rlt::set(buffer.rewards, row, 0, normal(random));
        rlt::set(buffer.terminated, row, 0, row % 1000 == 999);
        rlt::set(buffer.truncated, row, 0, row % 1000 == 999);
        rlt::set(device, buffer.episode_start, row - row % 1000, row);
    }
    buffer.full = true;
    buffer.position = 0;

    // what a step of its loop does between two steps of the task, in its order
    auto update = [&] {
        rlt::gather_batch(device, ts.off_policy_runner, ts.critic_batch, ts.rng);
        rlt::randn(device, ts.action_noise_critic, ts.rng);
        for (int j = 0; j < 2; j++) {
            rlt::train_critic(
                device, ts.actor_critic, ts.actor_critic.critics[j], ts.critic_batch,
                ts.actor_critic.critic_optimizers[j], ts.actor_target_buffers[j], ts.critic_buffers[j],
                ts.critic_target_buffers[j], ts.critic_training_buffers[j], ts.action_noise_critic, ts.rng);
        }
        rlt::update_critic_targets(device, ts.actor_critic);
        rlt::randn(device, ts.action_noise_actor, ts.rng);
        rlt::train_actor(
            device, ts.actor_critic, ts.critic_batch, ts.actor_critic.actor_optimizer, ts.actor_buffers[0],
            ts.critic_buffers[0], ts.actor_training_buffers, ts.action_noise_actor, ts.rng);
    };
    for (int i = 0; i < warmUp; i++) update();
    // ten parts, for the spread
    std::vector<double> rates;
    const int part = std::max(1, timed / 10);
    const auto start = Clock::now();
    for (int k = 0; k < 10; k++) {
        const auto since = Clock::now();
        for (int i = 0; i < part; i++) update();
        rates.push_back(part / seconds(since));
    }
    const double rate = 10 * part / seconds(start);
    const auto weights = rlt::get(device, ts.actor_critic.critics[0].content.output_layer.weights.parameters, 0, 0);
    if (!(weights > -1e6f && weights < 1e6f)) return std::fprintf(stderr, "the weights are not finite\n"), 1;
    std::printf(
        "{\"contender\": \"%s\", \"what\": \"U\", \"threads\": %d, \"updatesPerSecond\": %.3f, "
        "\"spread\": [%.3f, %.3f], \"updates\": %d, \"version\": \"rltools 2.2.1\"}\n",
        CONTENDER, threads, rate, *std::min_element(rates.begin(), rates.end()),
        *std::max_element(rates.begin(), rates.end()), 10 * part);
    return 0;
}

static int pendulum(int threads) {
    using ENVIRONMENT = rlt::rl::environments::Pendulum<
        rlt::rl::environments::pendulum::Specification<T, TI, rlt::rl::environments::pendulum::DefaultParameters<T>>>;
    using CONFIG = Config<ENVIRONMENT, 100, 64, 10'000, 10'000>;
    static typename CONFIG::template State<CONFIG> ts;
    DEVICE device;
    rlt::init(device);
    const auto start = Clock::now();
    rlt::malloc(device, ts);
    rlt::init(device, ts, 1);
    while (!rlt::step(device, ts)) {}
    const double time = seconds(start);

    // the mean return of the last ten training episodes: that it learned
    auto& stats = rlt::get(ts.off_policy_runner.episode_stats, 0, 0);
    double sum = 0;
    for (TI i = 0; i < 10; i++) sum += rlt::get(stats.returns, stats.next_episode_i - 1 - i, 0);
    std::printf(
        "{\"contender\": \"%s\", \"what\": \"W\", \"threads\": %d, \"seconds\": %.4f, \"stepsPerSecond\": %.1f, "
        "\"lastReturns\": %.1f, \"version\": \"rltools 2.2.1\"}\n",
        CONTENDER, threads, time, 10'000 / time, sum / 10);
    return 0;
}

int main(int count, char** arguments) {
    if (count == 5 && !std::strcmp(arguments[1], "U")) {
        return updates(std::atoi(arguments[2]), std::atoi(arguments[3]), std::atoi(arguments[4]));
    }
    if (count == 3 && !std::strcmp(arguments[1], "W")) return pendulum(std::atoi(arguments[2]));
    std::fprintf(stderr, "usage: rltools U THREADS WARM-UP TIMED | W THREADS\n");
    return 2;
}
