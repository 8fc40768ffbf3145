// SPDX-License-Identifier: Apache-2.0
#include "learner/losses.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "learner/passes.h"
#include "skills/policy.h"

namespace nightshift::learner {

namespace {

constexpr float kSaturated = 0.99f;
constexpr double kDivergedSquares = 1e3;  // About thirty times, squared.
constexpr std::size_t kParts = 2;         // Of a batch's rows, whatever the number of threads.

float Clamp(float v, float low, float high) { return std::min(std::max(v, low), high); }

std::vector<int> FirstOnes(int count) {
  std::vector<int> all(static_cast<std::size_t>(count));
  std::iota(all.begin(), all.end(), 0);
  return all;
}

}  // namespace

double DivergedLoss(const AgentConfig& config) {
  const double size = std::max({1.0, std::abs(config.value_min), std::abs(config.value_max)});
  return kDivergedSquares * size * size;
}

Losses::Losses(const AgentConfig& config, const Sizes& sizes, const Compute& compute)
    : config_(config),
      crew_(compute.crew != nullptr ? compute.crew : std::make_shared<Crew>(1)),
      state_(static_cast<std::size_t>(sizes.state)),
      action_size_(static_cast<std::size_t>(sizes.action)),
      both_(state_ + action_size_),
      actor_shape_{sizes.state, config.width, 2 * sizes.action},
      critic_shape_{sizes.both(), config.width, config.critics},
      batch_(sizes, config.batch),
      everyone_(FirstOnes(config.critics)),
      asked_(FirstOnes(std::min(config.critics, config.critics_asked))) {
  const auto rows = static_cast<std::size_t>(config.batch), actions = rows * action_size_;
  sampled_.resize(rows * both_);
  for (auto* each : {&target_, &shown_value_, &clone_share_}) each->resize(rows);
  for (auto* each :
       {&mean_, &log_std_, &bounded_log_std_, &deviation_, &action_, &log_probability_, &mean_action_, &d_action_})
    each->resize(actions);
  draws_.resize(actions + actions % 2);
  noise_.resize(draws_.size());
  d_out_.resize(2 * actions);
  d_q_.assign(everyone_.size(), std::vector<float>(rows));
  d_input_.assign(everyone_.size(), std::vector<float>(actions));
  for (const int member : everyone_)
    critics_.push_back(MakeCriticWork({critic_shape_, member, config.batch, sizes.action}, compute.precision));
  for (std::size_t part = 0; part < kParts; ++part) {
    const std::size_t begin = part * rows / kParts, count = (part + 1) * rows / kParts - begin;
    parts_.push_back({begin,
                      count,
                      MakeActorWork(actor_shape_, static_cast<int>(count), compute.precision),
                      std::vector<float>(actor_shape_.size()),
                      {}});
  }
}

void Losses::DrawNoise(Dice& dice) {
  for (std::uint64_t& draw : draws_) draw = dice.Draw();
  NormalsOf(draws_.data(), draws_.size(), noise_.data());
}

/// Each subset as likely as any other (selection sampling, Knuth, volume 2, 3.4.2 S).
void Losses::DrawAsked(Dice& dice) {
  const std::size_t wanted = asked_.size();
  if (wanted == everyone_.size()) return;
  std::size_t chosen = 0;
  for (std::size_t member = 0; chosen < wanted; ++member)
    if (dice.Index(everyone_.size() - member) < wanted - chosen) asked_[chosen++] = static_cast<int>(member);
}

void Losses::SampleActions(const float* actor, const std::vector<float>& states) {
  crew_->Run(static_cast<int>(parts_.size()),
             [&](int part) { SampleRows(parts_[static_cast<std::size_t>(part)], actor, states); });
}

/// What the actor says of these rows, split into mean_ and log_std_, and an action of each, beside its state.
void Losses::SampleRows(Part& part, const float* actor, const std::vector<float>& states) {
  part.actor->Forward(actor, states.data() + part.begin * state_);
  const std::size_t first = part.begin * action_size_;
  for (std::size_t row = 0; row < part.rows; ++row)
    for (std::size_t i = 0; i < action_size_; ++i) {
      const float* out = part.actor->out() + row * 2 * action_size_;
      const std::size_t at = first + row * action_size_ + i;
      mean_[at] = out[i];
      log_std_[at] = out[action_size_ + i];
      bounded_log_std_[at] = Clamp(log_std_[at], skills::kLogStdMin, skills::kLogStdMax);
    }
  SquashSamples(&mean_[first], &bounded_log_std_[first], &noise_[first], part.rows * action_size_, &deviation_[first],
                &action_[first], &log_probability_[first]);
  for (std::size_t row = part.begin; row < part.begin + part.rows; ++row) {
    float* both = sampled_.data() + row * both_;
    std::copy_n(states.data() + row * state_, state_, both);
    std::copy_n(action_.data() + row * action_size_, action_size_, both + state_);
  }
}

float Losses::LeastOpinion(std::size_t row, const std::vector<int>& members) const {
  float least = critics_[static_cast<std::size_t>(members[0])]->q()[row];
  for (const int member : members) least = std::min(least, critics_[static_cast<std::size_t>(member)]->q()[row]);
  return least;
}

const std::vector<float>& Losses::ComputeTargets(const float* actor, const float* target_critics) {
  SampleActions(actor, batch_.after);
  crew_->Run(static_cast<int>(asked_.size()), [&](int index) {
    critics_[static_cast<std::size_t>(asked_[static_cast<std::size_t>(index)])]->Forward(target_critics,
                                                                                         sampled_.data());
  });
  const auto low = static_cast<float>(config_.value_min), high = static_cast<float>(config_.value_max);
  for (std::size_t row = 0; row < target_.size(); ++row)
    target_[row] = Clamp(batch_.reward[row] + batch_.discount[row] * LeastOpinion(row, asked_), low, high);
  return target_;
}

CriticFacts Losses::CriticGradient(const float* critics, float* gradient) {
  const float* asked = batch_.before_action.data();
  const float scale = 2 / static_cast<float>(batch_.rows);
  crew_->Run(config_.critics, [&](int member) {
    CriticWork& critic = *critics_[static_cast<std::size_t>(member)];
    std::vector<float>& d_q = d_q_[static_cast<std::size_t>(member)];
    critic.Forward(critics, asked);
    for (std::size_t row = 0; row < d_q.size(); ++row) d_q[row] = scale * (critic.q()[row] - target_[row]);
    critic.Backward(critics, asked, d_q.data(), gradient);
  });
  double loss = 0, q_sum = 0;
  for (const auto& critic : critics_)
    for (std::size_t row = 0; row < target_.size(); ++row) {
      const float error = critic->q()[row] - target_[row];
      loss += error * error;
      q_sum += critic->q()[row];
    }
  const double target_sum = std::accumulate(target_.begin(), target_.end(), 0.0);
  return {loss / (batch_.rows * config_.critics), q_sum / (batch_.rows * config_.critics), target_sum / batch_.rows};
}

ActorFacts Losses::ActorGradient(const float* actor, const float* critics, Weights weights, float* gradient) {
  SampleActions(actor, batch_.before);
  AskAboutDemonstrations(critics);
  DifferentiateOpinion(critics);
  FilterDemonstrations();
  crew_->Run(static_cast<int>(parts_.size()), [&](int index) {
    Part& part = parts_[static_cast<std::size_t>(index)];
    DifferentiateEntropy(part, weights.temperature);
    DifferentiateClone(part, weights.clone);
    BackThroughActor(part, actor);
  });
  return AddParts(gradient);
}

ActorFacts Losses::CloneGradient(const float* actor, float* gradient) {
  std::fill(clone_share_.begin(), clone_share_.end(), 1.0f);
  std::fill(d_out_.begin(), d_out_.end(), 0.0f);
  SampleActions(actor, batch_.before);
  crew_->Run(static_cast<int>(parts_.size()), [&](int index) {
    Part& part = parts_[static_cast<std::size_t>(index)];
    part.facts = {};
    DifferentiateClone(part, 1);
    BackThroughActor(part, actor);
  });
  return AddParts(gradient);
}

void Losses::AskAboutDemonstrations(const float* critics) {
  if (config_.cloned == Cloned::kAll || batch_.demonstrated_rows == 0) return;
  crew_->Run(config_.critics, [&](int member) {
    critics_[static_cast<std::size_t>(member)]->Forward(critics, batch_.before_action.data());
  });
  for (std::size_t row = 0; row < static_cast<std::size_t>(batch_.demonstrated_rows); ++row)
    shown_value_[row] = LeastOpinion(row, everyone_);
}

/// After the critics were asked about the sampled actions.
void Losses::FilterDemonstrations() {
  std::fill(clone_share_.begin(), clone_share_.end(), 1.0f);
  if (config_.cloned == Cloned::kAll) return;
  for (std::size_t row = 0; row < static_cast<std::size_t>(batch_.demonstrated_rows); ++row)
    clone_share_[row] = shown_value_[row] > LeastOpinion(row, everyone_) ? 1.0f : 0.0f;
}

/// d_input_ of each critic = d(-opinion)/d(action) by way of it, averaged over the batch.
void Losses::DifferentiateOpinion(const float* critics) {
  const auto forward = [&](int member) {
    critics_[static_cast<std::size_t>(member)]->Forward(critics, sampled_.data());
  };
  const auto back = [&](int member) {
    const auto m = static_cast<std::size_t>(member);
    critics_[m]->BackwardToInput(critics, d_q_[m].data(), d_input_[m].data());
  };
  switch (config_.actor_opinion) {
    case CriticOpinion::kMean:
      for (auto& d_q : d_q_) std::fill(d_q.begin(), d_q.end(), -1 / static_cast<float>(batch_.rows * config_.critics));
      crew_->Run(config_.critics, [&](int member) {
        forward(member);
        back(member);
      });
      break;
    case CriticOpinion::kMinimum:
      crew_->Run(config_.critics, forward);
      ShareOpinion();
      crew_->Run(config_.critics, back);
      break;
  }
}

/// All of d_q_ to the critic of the lowest opinion.
void Losses::ShareOpinion() {
  for (std::size_t row = 0; row < target_.size(); ++row) {
    std::size_t least = 0;
    for (std::size_t m = 0; m < critics_.size(); ++m) {
      d_q_[m][row] = 0;
      if (critics_[m]->q()[row] < critics_[least]->q()[row]) least = m;
    }
    d_q_[least][row] = -1 / static_cast<float>(batch_.rows);
  }
}

/// d_out_ = the critics' d_input_ through the sample, plus that of temperature * log pi.
void Losses::DifferentiateEntropy(Part& part, float temperature) {
  part.facts = {};
  const float alpha = temperature / static_cast<float>(batch_.rows);
  const std::size_t first = part.begin * action_size_, count = part.rows * action_size_;
  std::copy_n(&d_input_[0][first], count, &d_action_[first]);
  for (std::size_t m = 1; m < d_input_.size(); ++m) AddTo(&d_input_[m][first], count, &d_action_[first]);
  for (std::size_t row = part.begin; row < part.begin + part.rows; ++row)
    for (std::size_t i = 0; i < action_size_; ++i) {
      const std::size_t at = row * 2 * action_size_ + i, k = row * action_size_ + i;
      const float raw = log_std_[k], action = action_[k];
      const float d_sample = d_action_[k] * (1 - action * action) + alpha * 2 * action;
      const float d_log_std = d_sample * deviation_[k] * noise_[k] - alpha;
      d_out_[at] = d_sample;
      // At the clamp only what leads back inside may pass.
      const bool outward = (raw < skills::kLogStdMin && d_log_std > 0) || (raw > skills::kLogStdMax && d_log_std < 0);
      d_out_[at + action_size_] = outward ? 0 : d_log_std;
      part.facts.entropy -= log_probability_[k];
      part.facts.saturated_share += std::fabs(action) > kSaturated ? 1 : 0;
    }
}

/// Adds weight * the gradient of the mean square distance between tanh(mean) and the demonstrated actions.
void Losses::DifferentiateClone(Part& part, float weight) {
  const std::size_t end = std::min(part.begin + part.rows, static_cast<std::size_t>(batch_.demonstrated_rows));
  if (end <= part.begin) return;
  TanhOf(&mean_[part.begin * action_size_], (end - part.begin) * action_size_,
         &mean_action_[part.begin * action_size_]);
  const auto limit = static_cast<float>(config_.clone_action_max);
  const float scale = 2 * weight / static_cast<float>(demonstrated_actions());
  for (std::size_t row = part.begin; row < end; ++row)
    for (std::size_t i = 0; i < action_size_; ++i) {
      const float shown = Clamp(batch_.before_action[row * both_ + state_ + i], -limit, limit);
      const float mine = mean_action_[row * action_size_ + i];
      part.facts.clone_error += (mine - shown) * (mine - shown);
      d_out_[row * 2 * action_size_ + i] += scale * clone_share_[row] * (mine - shown) * (1 - mine * mine);
    }
}

void Losses::BackThroughActor(Part& part, const float* actor) {
  part.actor->Backward(actor, batch_.before.data() + part.begin * state_, d_out_.data() + part.begin * 2 * action_size_,
                       part.gradient.data());
}

/// The parts' gradients and sums, in their order, as those of the batch.
ActorFacts Losses::AddParts(float* gradient) {
  ActorFacts sums;
  std::fill_n(gradient, actor_shape_.size(), 0.0f);
  for (const Part& part : parts_) {
    AddTo(part.gradient.data(), part.gradient.size(), gradient);
    sums.entropy += part.facts.entropy;
    sums.saturated_share += part.facts.saturated_share;
    sums.clone_error += part.facts.clone_error;
  }
  const double rows = batch_.rows, shown = std::max(1, demonstrated_actions());
  return {sums.entropy / rows, sums.saturated_share / (rows * static_cast<double>(action_size_)),
          sums.clone_error / shown};
}

}  // namespace nightshift::learner
