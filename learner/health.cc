// SPDX-License-Identifier: Apache-2.0
#include "learner/health.h"

#include <cblas.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

// LAPACK, in OpenBLAS: eigenvalues of a symmetric matrix, ascending.
extern "C" void openblas_set_num_threads(int threads);
extern "C" void dsyev_(const char* jobz, const char* uplo, const int* n, double* a, const int* lda, double* w,
                       double* work, const int* lwork, int* info);

namespace nightshift::learner {

namespace {

constexpr double kDormantBelow = 0.025;  // Sokar et al. 2023, tau.
constexpr double kRankHolds = 0.99;      // Kumar et al. 2021, 1 - delta.
constexpr float kSaturated = 0.99f;

struct Units {
  int dormant = 0, all = 0;
};

/// Of columns [first, first + width) of a layer.
void CountDormant(std::span<const float> layer, int rows, std::size_t stride, std::size_t first, int width,
                  Units& units) {
  std::vector<double> size(static_cast<std::size_t>(width), 0.0);
  double sum = 0;
  for (int row = 0; row < rows; ++row)
    for (std::size_t i = 0; i < size.size(); ++i)
      size[i] += std::abs(layer[static_cast<std::size_t>(row) * stride + first + i]);
  for (const double one : size) sum += one;
  const double mean = sum / width;
  for (const double one : size) units.dormant += !(one > kDormantBelow * mean);  // A dead layer is dormant throughout.
  units.all += width;
}

std::vector<float> Columns(std::span<const float> from, int rows, std::size_t stride, std::size_t first, int width) {
  std::vector<float> columns;
  for (int row = 0; row < rows; ++row) {
    const auto begin = from.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(row) * stride + first);
    columns.insert(columns.end(), begin, begin + width);
  }
  return columns;
}

void LookAtActor(const HealthNetworks& n, const HealthBatch& batch, HealthFigures& figures, Units& units) {
  ActorTrace trace;
  Forward(n.actor_shape, n.actor.data(), batch.states.data(), batch.rows, trace);
  const auto width = static_cast<std::size_t>(n.actor_shape.width);
  CountDormant(trace.h1, batch.rows, width, 0, n.actor_shape.width, units);
  CountDormant(trace.h2, batch.rows, width, 0, n.actor_shape.width, units);
  const int actions = n.actor_shape.outputs / 2;
  int saturated = 0;
  for (int row = 0; row < batch.rows; ++row)
    for (int i = 0; i < actions; ++i)
      saturated += std::abs(std::tanh(trace.out[static_cast<std::size_t>(row * 2 * actions + i)])) > kSaturated;
  figures.saturated_share = static_cast<double>(saturated) / (batch.rows * actions);
}

void CompareWithReturns(const HealthNetworks& n, const HealthBatch& batch, const CriticTrace& trace,
                        HealthFigures& figures) {
  if (batch.returns.empty()) return;
  const auto members = static_cast<std::size_t>(n.critic_shape.members);
  double sum = 0, squares = 0;
  for (std::size_t row = 0; row < static_cast<std::size_t>(batch.rows); ++row) {
    double value = 0;
    for (std::size_t m = 0; m < members; ++m) value += static_cast<double>(trace.q[row * members + m]);
    const double error = value / static_cast<double>(members) - static_cast<double>(batch.returns[row]);
    sum += error;
    squares += error * error;
  }
  figures.held_out = skills::HeldOutValue{.episodes = static_cast<std::int64_t>(batch.episodes),
                                          .steps = batch.rows,
                                          .error_rms = std::sqrt(squares / batch.rows),
                                          .bias = sum / batch.rows,
                                          .value_range = n.value_max - n.value_min};
}

/// After the last norm's gain, shift and ReLU, which no trace keeps: rows x across.
std::vector<float> LastHidden(const CriticShape& shape, std::span<const float> parameters, const CriticTrace& trace) {
  std::vector<float> hidden(trace.n2.size());
  for (std::size_t i = 0; i < hidden.size(); ++i) {
    const std::size_t unit = i % shape.across();
    hidden[i] = std::max(0.0f, parameters[shape.g2() + unit] * trace.n2[i] + parameters[shape.c2() + unit]);
  }
  return hidden;
}

void LookAtCritics(const HealthNetworks& n, const HealthBatch& batch, HealthFigures& figures, Units& units) {
  CriticTrace trace;
  Forward(n.critic_shape, n.critics.data(), batch.states_actions.data(), batch.rows, trace);
  const std::vector<float> last = LastHidden(n.critic_shape, n.critics, trace);
  const int width = n.critic_shape.width;
  figures.features = width;
  int rank = width;
  for (int m = 0; m < n.critic_shape.members; ++m) {
    const auto first = static_cast<std::size_t>(m * width);
    CountDormant(trace.h1, batch.rows, n.critic_shape.across(), first, width, units);
    CountDormant(last, batch.rows, n.critic_shape.across(), first, width, units);
    rank = std::min(rank,
                    EffectiveRank(Columns(last, batch.rows, n.critic_shape.across(), first, width), batch.rows, width));
  }
  figures.feature_rank = rank;
  for (const float q : trace.q)
    if (!std::isnan(figures.q_size) && !(std::abs(static_cast<double>(q)) <= figures.q_size))
      figures.q_size = std::abs(static_cast<double>(q));  // NaN stays.
  CompareWithReturns(n, batch, trace, figures);
}

}  // namespace

int EffectiveRank(std::span<const float> features, int rows, int width) {
  openblas_set_num_threads(1);  // Control and perception share the two cores. Of the whole process.
  // From the smaller Gram matrix, in double: its eigenvalues are the squares of what is asked for.
  if (!std::all_of(features.begin(), features.end(), [](float v) { return std::isfinite(v); })) return 0;
  const std::vector<double> wide(features.begin(), features.end());
  const int n = std::min(rows, width);
  std::vector<double> gram(static_cast<std::size_t>(n) * static_cast<std::size_t>(n));
  cblas_dsyrk(CblasRowMajor, CblasUpper, rows < width ? CblasNoTrans : CblasTrans, n, rows < width ? width : rows, 1,
              wide.data(), width, 0, gram.data(), n);
  std::vector<double> values(static_cast<std::size_t>(n)), work(static_cast<std::size_t>(64 * n));
  const int size = static_cast<int>(work.size());
  int info = 0;
  dsyev_("N", "L", &n, gram.data(), &n, values.data(), work.data(), &size, &info);  // Row-major upper: its lower.
  if (info != 0) return 0;
  double sum = 0, held = 0;
  for (double& value : values) sum += value = std::sqrt(std::max(0.0, value));
  if (!(sum > 0)) return 0;
  int rank = 0;
  for (auto value = values.rbegin(); value != values.rend() && held < kRankHolds * sum; ++value, ++rank) held += *value;
  return rank;
}

HealthFigures Examine(const HealthNetworks& networks, const HealthBatch& batch) {
  HealthFigures figures;
  figures.rows = batch.rows;
  if (batch.rows == 0) return figures;
  Units units;
  LookAtActor(networks, batch, figures, units);
  LookAtCritics(networks, batch, figures, units);
  figures.dormant_share = static_cast<double>(units.dormant) / units.all;
  return figures;
}

bool Diverged(const HealthFigures& figures, double value_size, const HealthRule& rule) {
  return figures.rows > 0 && !(figures.q_size <= rule.q_size_diverged * value_size);
}

std::vector<std::string> TroublesOf(const HealthFigures& f, double value_size, const HealthRule& rule) {
  std::vector<std::string> troubles;
  if (f.rows == 0) return troubles;
  const auto say = [&troubles](std::string text) { troubles.push_back(std::move(text)); };
  if (!(f.q_size <= rule.q_size_max * value_size))
    say(fmt::format("values reach {:.2f}, where no return can be larger than {:.2f}: the critics run away", f.q_size,
                    value_size));
  if (f.held_out && !(f.held_out->error_rms <= rule.value_error_max * f.held_out->value_range))
    say(
        fmt::format("values are off by {:.2f} from the returns that followed, normal is below {:.2f}: the critics do "
                    "not know what happens",
                    f.held_out->error_rms, rule.value_error_max * f.held_out->value_range));
  if (f.held_out && !(std::abs(f.held_out->bias) <= rule.value_bias_max * f.held_out->value_range))
    say(fmt::format("values are {:+.2f} off on average, normal is within {:.2f}: the critics {}", f.held_out->bias,
                    rule.value_bias_max * f.held_out->value_range,
                    f.held_out->bias > 0 ? "expect too much" : "expect too little"));
  if (!(f.saturated_share <= rule.saturated_max))
    say(
        fmt::format("{:.0f} % of the mean action's parts are saturated, normal is below {:.0f} %: the policy no longer "
                    "answers to what it sees",
                    100 * f.saturated_share, 100 * rule.saturated_max));
  if (!(f.dormant_share <= rule.dormant_max))
    say(
        fmt::format("{:.0f} % of the hidden units are dormant, normal is below {:.0f} %: the networks lose what they "
                    "could still learn with",
                    100 * f.dormant_share, 100 * rule.dormant_max));
  if (!(f.feature_rank >= rule.feature_rank_min * f.features))
    say(
        fmt::format("the critics' features have an effective rank of {:.0f} of {}, normal is above {:.0f}: states look "
                    "alike to them",
                    f.feature_rank, f.features, rule.feature_rank_min * f.features));
  return troubles;
}

}  // namespace nightshift::learner
