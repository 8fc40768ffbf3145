// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "learner/kernel.h"
#include "skills/policy.h"

/// Is learning still learning? Figures of an agent's networks on states that they do not learn from, and what is out of
/// the ordinary about them. Pure, but that OpenBLAS is told to use one thread; about 5 ms, once in hundreds of updates.
/// Thread: any.
namespace nightshift::learner {

/// From when on a figure is out of the ordinary.
struct HealthRule {
  double value_error_max = 0.25;   // Root mean square, share of all possible values: a constant guess in the middle is
                                   // off by a half at most, one that knows the outcome late by about a tenth.
  double value_bias_max = 0.2;     // Mean, the same share; overestimation is how bootstrapped critics go wrong.
  double q_size_max = 1.5;         // Of the largest possible value: targets are clipped to it, so a fresh critic
                                   // overshoots a little, a sound one stays inside.
  double q_size_diverged = 5;      // This far outside nothing of it can have been fitted: taken back.
  double saturated_max = 0.9;      // Of parts of the mean action beyond 0.99; a jaw alone makes a quarter.
  double dormant_max = 0.5;        // Share of hidden units (Sokar et al. 2023 see returns fall from about a half on).
  double feature_rank_min = 0.05;  // Share of the features (Kumar et al. 2021: a collapse is to a handful).
};

/// What is looked at: rows of states and the actions taken there; returns where they are known.
struct HealthBatch {
  int rows = 0;
  std::vector<float> states;          // rows x state
  std::vector<float> states_actions;  // rows x (state + action)
  std::vector<float> returns;         // rows, or empty
  std::size_t episodes = 0;           // Behind the returns.
};

/// The networks that are looked at, flat.
struct HealthNetworks {
  ActorShape actor_shape;
  CriticShape critic_shape;
  std::span<const float> actor, critics;
  double value_min = -1, value_max = 1;
};

struct HealthFigures {
  int rows = 0;
  std::optional<skills::HeldOutValue> held_out;  // None without returns.
  double q_size = 0;                             // Largest value without its sign.
  double saturated_share = 0;
  double feature_rank = 0;  // srank at 0.99 of the critics' last hidden layer, the lowest of all critics.
  int features = 0;
  double dormant_share = 0;  // Of the hidden units of actor and critics: those whose mean size is at most 0.025 of
                             // their layer's (Sokar et al. 2023, The Dormant Neuron Phenomenon in Deep RL, eq. 1).
};

HealthFigures Examine(const HealthNetworks& networks, const HealthBatch& batch);

/// Smallest count of singular values that hold 99 % of their sum (Kumar et al. 2021, Implicit Under-Parameterization,
/// srank). `features` is rows x width; 0 where all are 0 or one is not finite.
int EffectiveRank(std::span<const float> features, int rows, int width);

/// Not a number, or so far outside the possible that nothing was fitted: the last healthy state must come back.
bool Diverged(const HealthFigures& figures, double value_size, const HealthRule& rule);

/// What is out of the ordinary, each with its number, what is normal and what it means. Empty: healthy.
std::vector<std::string> TroublesOf(const HealthFigures& figures, double value_size, const HealthRule& rule);

}  // namespace nightshift::learner
