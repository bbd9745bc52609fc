// offpolicy.h — the C functions of the library, for other languages: a learner that somebody else's loop drives.
//
// Every function returns a number of at least 0, or -1; then offpolicy_error has a sentence that says what was expected
// and what came. No argument ends the process, as long as pointers are as long as the counts beside them say.
//
// A handle is a number. A handle that is in use by another thread answers -1 at once. Handles of different numbers are
// independent. Observations are float32, rows after rows. Actions are float32 in the environment's own units; a discrete
// action is one value, its index from 0. Text is UTF-8 without a final zero.
//
// N: lanes (environments that the learner acts in at once), S: values of an observation, A: values of an action
// (1 where actions are discrete).
#ifndef OFFPOLICY_H
#define OFFPOLICY_H
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif

// The version of this interface: 1.
int64_t offpolicy_version(void);

// This thread's last error. Writes at most `capacity` bytes; returns its whole length.
int64_t offpolicy_error(char *text, int64_t capacity);

// The bytes that this thread's last call made (see "→ result" below). Writes at most `capacity` bytes; returns their
// whole number. They stay until the thread's next call that makes some.
int64_t offpolicy_result(uint8_t *bytes, int64_t capacity);

// → result, JSON: {"version", "algorithms": [{"name", "summary", "actions": "continuous"|"discrete", "learnsFromData",
// "hyperparameters": [{"name", "default", "description", "source"}], "metrics": [names]}],
// "environments": [{"id", "observationSize", "options": [...]}], "processor", "kernels", "mujoco": null|text}
// Returns the number of bytes, as every function with a result does.
int64_t offpolicy_describe(void);

// Makes a learner; returns its handle. JSON:
//   "algorithm"        a name from offpolicy_describe: "sac", "td3", "ddpg", "dqn", "sac-discrete"
//   "configuration"    {hyperparameter: value}; what is missing has its default
//   "seed"             a whole number from 0
//   "threads"          of an update, from 1; the bits do not depend on it
//   "environments"     N, from 1; missing: 1
//   "environment"      a name: of a built-in environment where "builtIn" is true, else only what files say
//   "builtIn"          true: the learner steps environments of its own, see offpolicy_run; missing: false
//   "environmentOptions"  of a built-in one: {name: value}
//   "observationSize"  S; not where "builtIn" is true
//   "actions"          {"low": [A], "high": [A]} or {"choices": count}; not where "builtIn" is true
//   "goals"            {"observationSize": O, "goalSize": G} where S = O + 2 G: observation, achieved goal, desired goal
//   "updatesBeforeFirstBatch"  true: updates begin with the first transition, as in Stable-Baselines3; missing: false
//   "steps"            environment steps that the run will take, where that is known: the learning rate's schedule ends
//                      there, and the buffer is not larger; missing: unknown
int64_t offpolicy_learner_make(const uint8_t *json, int64_t length);

// Opens the content of a policy file (policy.safetensors); returns a handle for offpolicy_predict.
int64_t offpolicy_policy_open(const uint8_t *bytes, int64_t length);

// Frees what a handle stands for.
int64_t offpolicy_close(int64_t handle);

// ---- the loop, driven from outside: begin each lane; then act, observe, learn, round by round ----

// Starts a lane's episode with its first observation (S).
int64_t offpolicy_begin(int64_t handle, int64_t lane, const float *observation, int64_t count);

// Chooses the lanes' actions (N × A): uniformly at random for the first randomSteps steps, then with exploration.
int64_t offpolicy_act(int64_t handle, float *actions, int64_t count);

// Replaces the actions that offpolicy_act chose by those that the environments were really given (N × A).
int64_t offpolicy_replace_actions(int64_t handle, const float *actions, int64_t count);

// Takes what a lane's step gave. next (S) is the true next observation, never the one after a reset.
int64_t offpolicy_observe(
    int64_t handle, int64_t lane, double reward, int64_t terminated, int64_t truncated, const float *next,
    int64_t count);

// The same for all lanes in one call, and the first observations of the episodes that follow.
//   rewards (N); flags (N): 1 terminated, 2 truncated, 4 the lane took no step; next (N × S);
//   first (N × S): its rows count where the lane's step ended its episode; NULL: offpolicy_begin follows.
int64_t offpolicy_observe_all(
    int64_t handle, const double *rewards, const uint8_t *flags, const float *next, const float *first,
    int64_t lanes);

// offpolicy_observe_all, offpolicy_learn and offpolicy_act in one call, for loops in which nothing comes between them; first
// is not NULL. Returns how many updates were made. Where it answers -1, offpolicy_counts tells whether the steps were taken.
int64_t offpolicy_round(
    int64_t handle, const double *rewards, const uint8_t *flags, const float *next, const float *first, int64_t lanes,
    float *actions, int64_t count);

// A lane's environment broke: its episode ends here, nothing of the last step is kept. offpolicy_begin follows.
int64_t offpolicy_abandon(int64_t handle, int64_t lane);

// Makes the updates that updateEvery and updatesPerStep owe for the steps since the last call; returns how many.
int64_t offpolicy_learn(int64_t handle);

// Makes exactly this many updates, whatever the schedule says; it counts the steps so far as served. Returns how many:
// 0 where the buffer holds no batch yet.
int64_t offpolicy_update(int64_t handle, int64_t updates);

// Only where "builtIn" was true: takes steps and makes their updates, until `steps` were taken, an episode has ended or the
// time is over.
// Returns the steps that were taken; with N lanes it stops at a multiple of N that is not below `steps`.
int64_t offpolicy_run(int64_t handle, int64_t steps, double milliseconds);

// What the last round gave, each where its pointer is not NULL: actions (N × A), rewards (N), flags (N: 1 terminated, 2
// truncated), and the observations (N × S) that the lanes are at: after an end the true final ones. Returns N.
int64_t offpolicy_last_round(
    int64_t handle, float *actions, double *rewards, uint8_t *flags, float *observations);

// Writes: steps, episodes, updates, transitions held, transitions that fit, N, S, A, choices (0: continuous). Returns how many
// numbers there are; writes at most `capacity`.
int64_t offpolicy_counts(int64_t handle, int64_t *counts, int64_t capacity);

// ---- the policy ----

// Actions (rows × A) for observations (rows × S), without touching what training depends on.
// deterministic 1: the policy's best guess; 0: drawn from it (SAC: sampled, DQN: ε-greedy, TD3 and DDPG: as with 1).
int64_t offpolicy_predict(
    int64_t handle, const float *observations, int64_t rows, int64_t deterministic, float *actions);

// Q (rows), the smallest of the critics', of observations (rows × S) and actions (rows × A). Learners only.
int64_t offpolicy_values(
    int64_t handle, const float *observations, const float *actions, int64_t rows, float *values);

// ---- what it tells, and what may change in mid-run ----

// → result, JSON: {"means": {metric: number}, "updates": n}: the means over the updates since the last call that asked.
// Metrics: criticLoss, policyLoss, targetMean, temperature, entropy, and those of the algorithm; one that has no value is missing.
int64_t offpolicy_metrics(int64_t handle);

// → result, JSON array of records since the last call, the newest 10,000:
//   {"kind": "episode", "step", "episode", "return", "length", "terminated", "truncated"}
//   {"kind": "health", "step", "findings": [text]}
int64_t offpolicy_records(int64_t handle);

// Normalises from now on by statistics that the caller keeps and sets again whenever they change: what offpolicy_act sees, and
// each batch of an update. The replay buffer keeps what it is given. offpolicy_predict and offpolicy_values take observations
// that are normalised already; offpolicy_values gives Q times the divisor.
//   mean, scale (above 0), bound (above 0, or infinite) (S): clip((s - mean) / scale, +-bound). All three NULL: no more.
//   rewards: clip(r / rewardDivisor, +-rewardBound); a return of several steps is not clipped.
int64_t offpolicy_set_normalization(
    int64_t handle, const double *mean, const double *scale, const double *bound, int64_t count, double rewardDivisor,
    double rewardBound);

// Sets a number that may change while a run lasts: "learningRate" (of every optimiser), "epsilon" (share of random actions).
int64_t offpolicy_set(int64_t handle, const char *name, int64_t length, double value);

// Reads "epsilon" or "temperature" (not a number before the first update) into *value.
int64_t offpolicy_get(int64_t handle, const char *name, int64_t length, double *value);

// The function that computes rewards and terminations of other goals, for hindsight; called within offpolicy_learn and
// offpolicy_update, on the calling thread. It returns 0, or anything else to make that call fail.
//   achieved, desired (rows × G); rewards (rows) are to be written; terminated (rows) may be: 0, 1, or 2 as it comes: the
//   step's own termination stays
typedef int64_t (*offpolicy_goal_function)(
    const float *achieved, const float *desired, int64_t rows, float *rewards, uint8_t *terminated);
int64_t offpolicy_set_goal_function(int64_t handle, offpolicy_goal_function function);

// ---- everything that the rest of a run depends on ----

// → result: a safetensors file. With offpolicy_replay it is everything: a learner that was made with the same JSON and
// restored from both goes on to the bit. In a built-in environment that includes the environments themselves.
// After it, call offpolicy_set and offpolicy_set_normalization again: their values are not restored.
int64_t offpolicy_state(int64_t handle);
int64_t offpolicy_restore(int64_t handle, const uint8_t *bytes, int64_t length);

// Puts every random stream of the learner at its start: what it draws from now on depends on its seed alone. A learner of
// another seed takes over the state of this one with offpolicy_restore, and begins its own streams with this function.
int64_t offpolicy_restart_streams(int64_t handle);

// → result: the replay buffer, a safetensors file. Restoring one comes before offpolicy_restore of a state that belongs to it.
int64_t offpolicy_replay(int64_t handle);
int64_t offpolicy_restore_replay(int64_t handle, const uint8_t *bytes, int64_t length);

// → result: the transitions that the buffer holds, oldest first, lane after lane, a safetensors file with
// observations (n × S), actions (n × A, in the environment's units), rewards (n), next_observations (n × S),
// terminated (n), truncated (n), lane_ends (N): the rows of a lane end before that one.
int64_t offpolicy_transitions(int64_t handle);

// Adds transitions that were collected elsewhere to a lane of the buffer, in the order in which they were seen. Where an
// observation is not the next observation of the row before, another episode begins. They are no steps of the run.
//   observations, next (rows × S); actions (rows × A, clipped to the bounds); rewards (rows); flags (rows): 1 terminated, 2 truncated
int64_t offpolicy_add_transitions(
    int64_t handle, int64_t lane, int64_t rows, const float *observations, const float *actions, const double *rewards,
    const uint8_t *flags, const float *next);

// → result: networks, targets and optimisers as a safetensors file; the names are those of `conformance`, the moments'
// begin with policy_optimizer and critic_optimizer. Setting takes any subset of them; shapes must fit.
int64_t offpolicy_parameters(int64_t handle);
int64_t offpolicy_set_parameters(int64_t handle, const uint8_t *bytes, int64_t length);

// → result: policy.safetensors, as `offpolicy evaluate` reads it.
int64_t offpolicy_policy(int64_t handle);

// → result, text: a hash of all learned parameters, that of `offpolicy inspect`.
int64_t offpolicy_digest(int64_t handle);

// ---- built-in environments, one at a time ----

// Makes one; returns its handle. JSON: {"id", "options": {name: value}}. offpolicy_result then holds JSON:
// {"observationSize", "observationLow": [S], "observationHigh": [S], "actions": as above, "goals": as above or null,
// "maximumSteps": null|n}; an infinite bound is the text "inf" or "-inf".
int64_t offpolicy_environment_make(const uint8_t *json, int64_t length);

// Starts an episode. seed below 0: the generator goes on.
int64_t offpolicy_environment_reset(int64_t handle, int64_t seed, float *observation, int64_t count);

// One control step. flags: 1 terminated, 2 truncated.
int64_t offpolicy_environment_step(
    int64_t handle, const float *action, int64_t actionCount, float *observation, int64_t observationCount,
    double *reward, uint8_t *flags);

// → result: the environment in mid-episode; restoring it goes on to the bit.
int64_t offpolicy_environment_state(int64_t handle);
int64_t offpolicy_environment_restore(int64_t handle, const uint8_t *bytes, int64_t length);

#ifdef __cplusplus
}
#endif
#endif
