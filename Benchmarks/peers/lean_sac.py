"""SAC in PyTorch with as little around it as CleanRL has, and the savings that LeanRL showed: plain tensors for
parameters, no weight gradients of the critics in the policy step, fused Adam, one call for all targets.

The same update as ours: N5 without the factor ½, the temperature's loss in log α, one update of everything a step.
"""

import math

import torch
import torch.nn.functional as F

DISCOUNT, RATE, LEARNING_RATE = 0.99, 0.005, 3e-4


def network(sizes):
    parameters = []
    for fan_in, fan_out in zip(sizes, sizes[1:]):
        bound = 1 / math.sqrt(fan_in)
        parameters += [torch.empty(fan_out, fan_in), torch.empty(fan_out)]
        for parameter in parameters[-2:]:
            parameter.uniform_(-bound, bound).requires_grad_()
    return parameters


def mlp(parameters, x):
    for k in range(0, len(parameters) - 2, 2):
        x = F.relu(F.linear(x, parameters[k], parameters[k + 1]))
    return F.linear(x, parameters[-2], parameters[-1])


def sample(policy, s):
    mean, log_std = mlp(policy, s).chunk(2, dim=1)
    log_std = log_std.clamp(-20, 2)
    noise = torch.randn_like(mean)
    u = mean + log_std.exp() * noise
    log_pi = -0.5 * noise**2 - log_std - 0.5 * math.log(2 * math.pi) - 2 * (math.log(2) - u - F.softplus(-2 * u))
    return torch.tanh(u), log_pi.sum(dim=1)


def values(critics, s, a):
    x = torch.cat([s, a], dim=1)
    return [mlp(critic, x)[:, 0] for critic in critics]


def critic_loss(policy, critics, targets, alpha, s, a, r, s2, d):
    with torch.no_grad():
        a2, log_pi2 = sample(policy, s2)
        y = r + DISCOUNT * (1 - d) * (torch.minimum(*values(targets, s2, a2)) - alpha * log_pi2)
    return sum(F.mse_loss(q, y) for q in values(critics, s, a))


def policy_loss(policy, critics, alpha, s):
    a, log_pi = sample(policy, s)
    return (alpha * log_pi - torch.minimum(*values(critics, s, a))).mean(), log_pi.detach().mean()


class LeanSAC:
    def __init__(self, observations, actions, hidden, compiled):
        self.policy = network([observations, *hidden, 2 * actions])
        self.critics = [network([observations + actions, *hidden, 1]) for _ in range(2)]
        self.targets = [[p.detach().clone() for p in critic] for critic in self.critics]
        self.log_alpha = torch.zeros(1, requires_grad=True)
        self.target_entropy = -actions
        self.all_critics = [p for critic in self.critics for p in critic]
        self.all_targets = [p for critic in self.targets for p in critic]
        self.optimizers = [
            torch.optim.Adam(parameters, lr=LEARNING_RATE, fused=True)
            for parameters in (self.policy, self.all_critics, [self.log_alpha])
        ]
        self.critic_loss = torch.compile(critic_loss) if compiled else critic_loss
        self.policy_loss = torch.compile(policy_loss) if compiled else policy_loss

    def update(self, s, a, r, s2, d):
        policy_adam, critic_adam, temperature_adam = self.optimizers
        alpha = self.log_alpha.detach().exp()

        self.critic_loss(self.policy, self.critics, self.targets, alpha, s, a, r, s2, d).backward()
        critic_adam.step()
        critic_adam.zero_grad()

        still = [[p.detach() for p in critic] for critic in self.critics]
        loss, mean_log_pi = self.policy_loss(self.policy, still, alpha, s)
        loss.backward()
        policy_adam.step()
        policy_adam.zero_grad()

        self.log_alpha.grad = -(mean_log_pi + self.target_entropy).reshape(1)
        temperature_adam.step()
        with torch.no_grad():
            torch._foreach_lerp_(self.all_targets, self.all_critics, RATE)

    def act(self, s):
        with torch.no_grad():
            return sample(self.policy, s)[0]


class Buffer:
    """The last `capacity` transitions, uniformly sampled."""

    def __init__(self, capacity, observations, actions):
        self.columns = [
            torch.zeros(capacity, observations), torch.zeros(capacity, actions), torch.zeros(capacity),
            torch.zeros(capacity, observations), torch.zeros(capacity),
        ]
        self.capacity, self.count = capacity, 0

    def fill(self, columns):
        for column, values in zip(self.columns, columns):
            column.copy_(torch.from_numpy(values))
        self.count = self.capacity

    def add(self, *row):
        for column, value in zip(self.columns, row):
            column[self.count % self.capacity] = torch.as_tensor(value, dtype=torch.float32)
        self.count += 1

    def batch(self, size):
        rows = torch.randint(min(self.count, self.capacity), (size,))
        return [column[rows] for column in self.columns]
