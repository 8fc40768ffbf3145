// SPDX-License-Identifier: Apache-2.0
#include "learner/kernel.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "learner/crew.h"
#include "learner/passes.h"
#include "learner/product.h"

namespace nightshift::learner {

namespace {

using Layout = ProductShape::Layout;

void Grow(std::vector<float>& values, std::size_t size) {
  if (values.size() < size) values.resize(size);
}

/// y (batch x outputs, row stride ldy) = x (batch x inputs) W^T; no bias.
void TimesTransposed(const float* x, int ldx, const float* w, int batch, int inputs, int outputs, float* y, int ldy) {
  Multiply({Layout::kAsIs, Layout::kTransposed, batch, outputs, inputs, ldx, inputs, ldy}, x, w, y);
}

/// dx (batch x inputs) = dy (batch x outputs) W, of the columns from `column` on.
void Times(const float* dy, int ldy, const float* w, int ldw, int batch, int outputs, int inputs, float* dx, int ldx) {
  Multiply({Layout::kAsIs, Layout::kAsIs, batch, inputs, outputs, ldy, ldw, ldx}, dy, w, dx);
}

/// dW (outputs x inputs) = dy^T x.
void Outer(const float* dy, int ldy, const float* x, int ldx, int batch, int outputs, int inputs, float* dw) {
  Multiply({Layout::kTransposed, Layout::kAsIs, outputs, inputs, batch, ldy, ldx, inputs}, dy, x, dw);
}

NormParameters FirstNorm(const CriticShape& s, const float* p) { return {p + s.b1(), p + s.g1(), p + s.c1()}; }

AnswerParameters Answer(const CriticShape& s, const float* p) {
  return {{p + s.b2(), p + s.g2(), p + s.c2()}, p + s.w3(), p + s.b3()};
}

AnswerGradient AnswerPart(const CriticShape& s, float* g) {
  if (g == nullptr) return {};
  std::fill_n(g + s.b2(), 3 * s.across(), 0.0f);  // Bias, gain and shift lie side by side, and so do w3 and b3.
  std::fill_n(g + s.w3(), s.size() - s.w3(), 0.0f);
  return {{g + s.b2(), g + s.g2(), g + s.c2()}, g + s.w3(), g + s.b3()};
}

NormGradient FirstNormPart(const CriticShape& s, float* g) {
  if (g == nullptr) return {};
  std::fill_n(g + s.b1(), 3 * s.across(), 0.0f);
  return {g + s.b1(), g + s.g1(), g + s.c1()};
}

/// From dL/dq down to the first layer's product, in trace.d1; fills the gradient of all above it where one is given.
void BackToFirstLayer(const CriticShape& shape, const float* p, int batch, CriticTrace& t, const float* d_q, float* g) {
  const int width = shape.width, across = static_cast<int>(shape.across());
  const Grid grid{batch, shape.members, width};
  Grow(t.d1, batch * shape.across());
  Grow(t.d2, batch * shape.across());
  BackThroughAnswer(Answer(shape, p), grid, t.n2.data(), t.s2.data(), d_q, AnswerPart(shape, g), t.d2.data());
  for (int m = 0; m < shape.members; ++m) {
    const int at = m * width;
    const std::size_t w2 = shape.w2() + std::size_t(m) * width * width;
    Times(t.d2.data() + at, across, p + w2, width, batch, width, width, t.d1.data() + at, across);
    if (g != nullptr) Outer(t.d2.data() + at, across, t.h1.data() + at, across, batch, width, width, g + w2);
  }
  BackThroughNorm(FirstNorm(shape, p), grid, t.n1.data(), t.s1.data(), FirstNormPart(shape, g), t.d1.data());
}

constexpr int kPassParts = 4;  // Of a pass over an array, whatever the number of threads.

struct Range {
  std::size_t begin, count;
};
Range PartOf(std::size_t size, int index) {
  const std::size_t part = (size / kPassParts + 16) / 16 * 16;  // Whole cache lines.
  const std::size_t begin = std::min(static_cast<std::size_t>(index) * part, size);
  return {begin, std::min(part, size - begin)};
}

AdamFactors NextStep(AdamState& state, std::size_t count, float learning_rate, float scale) {
  state.first.resize(count);
  state.second.resize(count);
  ++state.steps;
  const double first = 1 - std::pow(0.9, static_cast<double>(state.steps));
  const double second = 1 - std::pow(0.999, static_cast<double>(state.steps));
  return {static_cast<float>(learning_rate / first), scale, static_cast<float>(1 / std::sqrt(second))};
}

}  // namespace

void Forward(const ActorShape& shape, const float* p, const float* x, int batch, ActorTrace& t) {
  Grow(t.h1, std::size_t(batch) * shape.width);
  Grow(t.h2, std::size_t(batch) * shape.width);
  Grow(t.out, std::size_t(batch) * shape.outputs);
  TimesTransposed(x, shape.inputs, p + shape.w1(), batch, shape.inputs, shape.width, t.h1.data(), shape.width);
  AddBiasAndRectify(p + shape.b1(), batch, shape.width, t.h1.data(), t.h1.data());
  TimesTransposed(t.h1.data(), shape.width, p + shape.w2(), batch, shape.width, shape.width, t.h2.data(), shape.width);
  AddBiasAndRectify(p + shape.b2(), batch, shape.width, t.h2.data(), t.h2.data());
  TimesTransposed(t.h2.data(), shape.width, p + shape.w3(), batch, shape.width, shape.outputs, t.out.data(),
                  shape.outputs);
  AddBias(p + shape.b3(), batch, shape.outputs, t.out.data());
}

void Backward(const ActorShape& shape, const float* p, const float* x, int batch, ActorTrace& t, const float* d_out,
              float* g) {
  const int width = shape.width, outputs = shape.outputs;
  const std::size_t units = std::size_t(batch) * width;
  Grow(t.d1, units);
  Grow(t.d2, units);
  Outer(d_out, outputs, t.h2.data(), width, batch, outputs, width, g + shape.w3());
  SumRows(d_out, batch, outputs, g + shape.b3());
  Times(d_out, outputs, p + shape.w3(), width, batch, outputs, width, t.d2.data(), width);
  MaskByUnit(t.h2.data(), batch, width, t.d2.data(), t.d2.data(), g + shape.b2());
  Outer(t.d2.data(), width, t.h1.data(), width, batch, width, width, g + shape.w2());
  Times(t.d2.data(), width, p + shape.w2(), width, batch, width, width, t.d1.data(), width);
  MaskByUnit(t.h1.data(), batch, width, t.d1.data(), t.d1.data(), g + shape.b1());
  Outer(t.d1.data(), width, x, shape.inputs, batch, width, shape.inputs, g + shape.w1());
}

void Forward(const CriticShape& shape, const float* p, const float* x, int batch, CriticTrace& t) {
  const int width = shape.width, across = static_cast<int>(shape.across());
  const Grid grid{batch, shape.members, width};
  for (auto* units : {&t.n1, &t.n2, &t.h1}) Grow(*units, batch * shape.across());
  for (auto* each : {&t.s1, &t.s2, &t.q}) Grow(*each, std::size_t(batch) * shape.members);
  TimesTransposed(x, shape.inputs, p + shape.w1(), batch, shape.inputs, across, t.n1.data(), across);
  NormaliseAndRectify(FirstNorm(shape, p), grid, t.n1.data(), t.h1.data(), t.s1.data());
  for (int m = 0; m < shape.members; ++m)
    TimesTransposed(t.h1.data() + m * width, across, p + shape.w2() + std::size_t(m) * width * width, batch, width,
                    width, t.n2.data() + m * width, across);
  NormaliseAndAnswer(Answer(shape, p), grid, t.n2.data(), t.s2.data(), t.q.data());
}

void Backward(const CriticShape& shape, const float* p, const float* x, int batch, CriticTrace& t, const float* d_q,
              float* g) {
  const int across = static_cast<int>(shape.across());
  BackToFirstLayer(shape, p, batch, t, d_q, g);
  Outer(t.d1.data(), across, x, shape.inputs, batch, across, shape.inputs, g + shape.w1());
}

void BackwardToInput(const CriticShape& shape, const float* p, int batch, CriticTrace& t, const float* d_q, int columns,
                     float* d_x) {
  BackToFirstLayer(shape, p, batch, t, d_q, nullptr);
  Times(t.d1.data(), static_cast<int>(shape.across()), p + shape.w1() + shape.inputs - columns, shape.inputs, batch,
        static_cast<int>(shape.across()), columns, d_x, columns);
}

void AdamStep(AdamState& state, float learning_rate, float scale, std::span<const float> gradient,
              std::span<float> parameters) {
  const AdamFactors factors = NextStep(state, parameters.size(), learning_rate, scale);
  AdamPass(factors, gradient.data(), parameters.size(), {state.first.data(), state.second.data()}, parameters.data());
}

void AdamStepAndAverage(Crew& crew, AdamState& state, const DescentStep& step, std::span<const float> gradient,
                        std::span<float> parameters, std::span<float> average) {
  const AdamFactors factors = NextStep(state, parameters.size(), step.learning_rate, step.scale);
  crew.Run(kPassParts, [&](int index) {
    const auto [begin, count] = PartOf(parameters.size(), index);
    AdamAndAveragePass(factors, gradient.data() + begin, count,
                       {state.first.data() + begin, state.second.data() + begin}, parameters.data() + begin,
                       step.average_rate, average.data() + begin);
  });
}

void MoveToward(std::span<const float> from, float rate, std::span<float> to) {
  MovePass(from.data(), to.size(), rate, to.data());
}

double NormOf(std::span<const float> values) { return std::sqrt(SquaresOf(values.data(), values.size())); }

double NormOf(Crew& crew, std::span<const float> values) {
  std::array<double, kPassParts> squares{};
  crew.Run(kPassParts, [&](int index) {
    const auto [begin, count] = PartOf(values.size(), index);
    squares[static_cast<std::size_t>(index)] = SquaresOf(values.data() + begin, count);
  });
  return std::sqrt(std::accumulate(squares.begin(), squares.end(), 0.0));
}

}  // namespace nightshift::learner
