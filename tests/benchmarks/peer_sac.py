#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The learner's update written the usual way in Python's PyTorch, and how many of them it makes in a second.

Soft actor-critic with LayerNorm critics, no entropy backup, clipped targets and gradients, an averaged actor: what
learner/actor_critic.h does while it learns, without the cloning term. Data are random and lie ready: drawing them is
not timed. One JSON line per setting of threads; bench_learner runs this and takes the best.
"""
import argparse
import json
import sys
import time

try:
    import torch
    from torch import nn
    from torch.nn import functional as F
except ImportError:
    print(json.dumps({"skipped": "peer_sac.py: no PyTorch for Python; apt-get install python3-torch"}))
    sys.exit(0)


def actor_network(state, action, width):
    return nn.Sequential(nn.Linear(state, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(),
                         nn.Linear(width, 2 * action))


def critic_network(inputs, width):
    return nn.Sequential(nn.Linear(inputs, width), nn.LayerNorm(width), nn.ReLU(), nn.Linear(width, width),
                         nn.LayerNorm(width), nn.ReLU(), nn.Linear(width, 1))


def act(network, state):
    mean, log_std = network(state).chunk(2, dim=1)
    log_std = log_std.clamp(-5, 2)
    noise = torch.randn_like(mean)
    u = mean + log_std.exp() * noise
    log_normal = -0.5 * noise.square() - log_std - 0.9189385
    log_squash = 2 * (0.6931472 - u - F.softplus(-2 * u))
    return torch.tanh(u), (log_normal - log_squash).sum(1)


class Learner:
    def __init__(self, args):
        self.actor_every = args.actor_every
        self.actor = actor_network(args.state, args.action, args.width)
        self.deployed = actor_network(args.state, args.action, args.width).requires_grad_(False)
        self.critics = nn.ModuleList(critic_network(args.state + args.action, args.width) for _ in range(args.critics))
        self.targets = nn.ModuleList(critic_network(args.state + args.action, args.width) for _ in range(args.critics))
        self.targets.requires_grad_(False)
        self.asked = min(args.asked, args.critics)
        self.log_temperature = torch.tensor(-4.6, requires_grad=True)
        adam = lambda parameters: torch.optim.Adam(parameters, lr=3e-4, foreach=args.foreach)
        self.actor_adam, self.critic_adam = adam(self.actor.parameters()), adam(self.critics.parameters())
        self.temperature_adam = adam([self.log_temperature])
        self.updates = 0
        n = args.batch
        self.before, self.after = torch.randn(n, args.state), torch.randn(n, args.state)
        self.before_action = torch.cat([self.before, 2 * torch.rand(n, args.action) - 1], 1)
        self.reward, self.discount = torch.rand(n, 1), torch.full((n, 1), 0.97)

    def move(self, online, average, rate):
        torch._foreach_mul_(average, 1 - rate)
        torch._foreach_add_(average, online, alpha=rate)

    def update(self):
        with torch.no_grad():
            action, _ = act(self.actor, self.after)
            both = torch.cat([self.after, action], 1)
            least = torch.cat([c(both) for c in self.targets[:self.asked]], 1).amin(1, keepdim=True)
            y = (self.reward + self.discount * least).clamp(-1, 1)
        q = torch.cat([c(self.before_action) for c in self.critics], 1)
        self.critic_adam.zero_grad(set_to_none=True)
        (q - y).square().mean(0).sum().backward()
        nn.utils.clip_grad_norm_(self.critics.parameters(), 10)
        self.critic_adam.step()
        with torch.no_grad():
            self.move([p.detach() for p in self.critics.parameters()], list(self.targets.parameters()), 0.005)
        self.updates += 1
        if self.updates % self.actor_every == 0:
            self.update_actor()

    def update_actor(self):
        self.critics.requires_grad_(False)
        action, log_probability = act(self.actor, self.before)
        both = torch.cat([self.before, action], 1)
        opinion = torch.cat([c(both) for c in self.critics], 1).mean(1)
        self.actor_adam.zero_grad(set_to_none=True)
        (self.log_temperature.detach().exp() * log_probability - opinion).mean().backward()
        self.critics.requires_grad_(True)
        nn.utils.clip_grad_norm_(self.actor.parameters(), 10)
        self.actor_adam.step()
        self.temperature_adam.zero_grad(set_to_none=True)
        (self.log_temperature * (-log_probability.detach().mean() + 2)).backward()
        self.temperature_adam.step()
        with torch.no_grad():
            self.move([p.detach() for p in self.actor.parameters()], list(self.deployed.parameters()), 0.003)


def rate_of(learner, seconds, rounds):
    """The best of some rounds: what disturbs a measurement only ever makes it slower."""
    for _ in range(20):
        learner.update()
    best = 0.0
    for _ in range(rounds):
        begin, count = time.perf_counter(), 0
        while time.perf_counter() - begin < seconds / rounds:
            learner.update()
            count += 1
        best = max(best, count / (time.perf_counter() - begin))
    return best


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name, value in [("state", 17), ("action", 6), ("width", 256), ("batch", 256), ("critics", 2), ("asked", 10),
                        ("actor_every", 1), ("rounds", 5)]:
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    args = parser.parse_args()
    torch.manual_seed(1)
    for threads in args.threads:
        torch.set_num_threads(threads)
        for args.foreach in [False, True]:
            print(json.dumps({"threads": threads, "foreach": args.foreach,
                              "updates_per_s": round(rate_of(Learner(args), args.seconds, args.rounds), 1)}), flush=True)


if __name__ == "__main__":
    main()
