// SPDX-License-Identifier: Apache-2.0
#include "learner/kernel.h"

#include <cblas.h>

#include <algorithm>
#include <cmath>

// The elementwise passes are compiled for wide vectors too and picked when the program is loaded.
#if defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && \
    defined(__x86_64__)
#define NIGHTSHIFT_WIDE __attribute__((target_clones("arch=skylake-avx512", "arch=haswell", "default")))
#else
#define NIGHTSHIFT_WIDE
#endif

// The arrays of these loops never overlap, which the compiler cannot know.
#if defined(__GNUC__) && !defined(__clang__)
#define NIGHTSHIFT_APART _Pragma("GCC ivdep")
#else
#define NIGHTSHIFT_APART
#endif

namespace nightshift::learner {

namespace {

constexpr float kNormEpsilon = 1e-5f;  // As LibTorch's LayerNorm.

void Grow(std::vector<float>& values, std::size_t size) {
  if (values.size() < size) values.resize(size);
}

/// y (batch x outputs, row stride ldy) = x (batch x inputs) W^T; no bias.
void TimesTransposed(const float* x, int ldx, const float* w, int batch, int inputs, int outputs, float* y, int ldy) {
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, batch, outputs, inputs, 1, x, ldx, w, inputs, 0, y, ldy);
}

/// dx (batch x inputs) = dy (batch x outputs) W, of the columns from `column` on.
void Times(const float* dy, int ldy, const float* w, int ldw, int batch, int outputs, int inputs, float* dx, int ldx) {
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, batch, inputs, outputs, 1, dy, ldy, w, ldw, 0, dx, ldx);
}

/// dW (outputs x inputs) = dy^T x.
void Outer(const float* dy, int ldy, const float* x, int ldx, int batch, int outputs, int inputs, float* dw) {
  cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, outputs, inputs, batch, 1, dy, ldy, x, ldx, 0, dw, inputs);
}

NIGHTSHIFT_WIDE void AddBias(float* y, const float* bias, int rows, int columns) {
  for (int r = 0; r < rows; ++r, y += columns) NIGHTSHIFT_APART for (int c = 0; c < columns; ++c) y[c] += bias[c];
}

NIGHTSHIFT_WIDE void AddBiasAndRectify(float* y, const float* bias, int rows, int columns) {
  for (int r = 0; r < rows; ++r, y += columns) NIGHTSHIFT_APART for (int c = 0; c < columns; ++c) {
      const float v = y[c] + bias[c];
      y[c] = v > 0 ? v : 0;
    }
}

/// d = 0 where the unit was off.
NIGHTSHIFT_WIDE void MaskByUnit(const float* h, std::size_t count, float* d) {
  NIGHTSHIFT_APART for (std::size_t i = 0; i < count; ++i) {
    const float here = d[i];
    d[i] = h[i] > 0 ? here : 0;
  }
}

NIGHTSHIFT_WIDE void SumRows(const float* d, int rows, int columns, float* sum) {
  std::fill_n(sum, columns, 0.0f);
  for (int r = 0; r < rows; ++r, d += columns) NIGHTSHIFT_APART for (int c = 0; c < columns; ++c) sum[c] += d[c];
}

struct NormParameters {
  const float* bias;
  const float* gain;
  const float* shift;
};

/// n: the dense layer's product in, its normalised form out; h = ReLU(gain * n + shift); s = 1 / deviation.
NIGHTSHIFT_WIDE void NormaliseAndRectify(NormParameters p, int batch, int members, int width, float* n, float* h,
                                         float* s) {
  for (int b = 0; b < batch; ++b)
    for (int m = 0; m < members; ++m, n += width, h += width, ++s) {
      const float* bias = p.bias + m * width;
      const float* gain = p.gain + m * width;
      const float* shift = p.shift + m * width;
      float sum = 0, squares = 0;
      NIGHTSHIFT_APART for (int i = 0; i < width; ++i) {
        const float v = n[i] + bias[i];
        n[i] = v;
        sum += v;
      }
      const float mean = sum / static_cast<float>(width);
      NIGHTSHIFT_APART for (int i = 0; i < width; ++i) squares += (n[i] - mean) * (n[i] - mean);
      const float inverse = 1 / std::sqrt(squares / static_cast<float>(width) + kNormEpsilon);
      *s = inverse;
      NIGHTSHIFT_APART for (int i = 0; i < width; ++i) {
        const float v = (n[i] - mean) * inverse;
        const float out = gain[i] * v + shift[i];
        n[i] = v;
        h[i] = out > 0 ? out : 0;
      }
    }
}

/// Adds the sums over the batch for gain and shift, given the gradient at h.
NIGHTSHIFT_WIDE void AddNormGradient(int batch, int across, const float* n, const float* h, const float* d,
                                     float* d_gain, float* d_shift) {
  for (int b = 0; b < batch; ++b, n += across, h += across, d += across)
    NIGHTSHIFT_APART for (int i = 0; i < across; ++i) {
      const float here = d[i];  // Loaded in any case, or the loop is not vectorised.
      const float v = h[i] > 0 ? here : 0;
      d_gain[i] += v * n[i];
      d_shift[i] += v;
    }
}

/// d: the gradient at h in, that of the dense layer's product out.
NIGHTSHIFT_WIDE void BackThroughNorm(const float* gain, int batch, int members, int width, const float* n,
                                     const float* h, const float* s, float* d) {
  for (int b = 0; b < batch; ++b)
    for (int m = 0; m < members; ++m, n += width, h += width, d += width, ++s) {
      const float* g = gain + m * width;
      float sum = 0, product = 0;
      NIGHTSHIFT_APART for (int i = 0; i < width; ++i) {
        const float through = d[i] * g[i];
        const float v = h[i] > 0 ? through : 0;
        d[i] = v;
        sum += v;
        product += v * n[i];
      }
      const float mean = sum / static_cast<float>(width), along = product / static_cast<float>(width), inverse = *s;
      NIGHTSHIFT_APART for (int i = 0; i < width; ++i) d[i] = inverse * (d[i] - mean - n[i] * along);
    }
}

/// d (batch x members x width) = d_q (batch x members) times each member's last weights.
NIGHTSHIFT_WIDE void SpreadToUnits(const float* d_q, const float* w3, int batch, int members, int width, float* d) {
  for (int b = 0; b < batch; ++b)
    for (int m = 0; m < members; ++m, ++d_q, d += width)
      NIGHTSHIFT_APART for (int i = 0; i < width; ++i) d[i] = *d_q * w3[m * width + i];
}

NIGHTSHIFT_WIDE void ValuesOf(const float* h, const float* w3, const float* b3, int batch, int members, int width,
                              float* q) {
  for (int b = 0; b < batch; ++b)
    for (int m = 0; m < members; ++m, h += width, ++q) {
      float sum = b3[m];
      NIGHTSHIFT_APART for (int i = 0; i < width; ++i) sum += h[i] * w3[m * width + i];
      *q = sum;
    }
}

NIGHTSHIFT_WIDE void LastLayerGradient(const float* d_q, const float* h, int batch, int members, int width, float* d_w3,
                                       float* d_b3) {
  std::fill_n(d_w3, members * width, 0.0f);
  std::fill_n(d_b3, members, 0.0f);
  for (int b = 0; b < batch; ++b)
    for (int m = 0; m < members; ++m, ++d_q, h += width) {
      d_b3[m] += *d_q;
      NIGHTSHIFT_APART for (int i = 0; i < width; ++i) d_w3[m * width + i] += *d_q * h[i];
    }
}

NIGHTSHIFT_WIDE void AdamPass(std::size_t count, float rate, float scale, float correction, const float* gradient,
                              float* first, float* second, float* parameters) {
  constexpr float kFirst = 0.9f, kSecond = 0.999f, kEpsilon = 1e-8f;
  NIGHTSHIFT_APART for (std::size_t i = 0; i < count; ++i) {
    const float g = gradient[i] * scale;
    first[i] = kFirst * first[i] + (1 - kFirst) * g;
    second[i] = kSecond * second[i] + (1 - kSecond) * g * g;
    parameters[i] -= rate * first[i] / (std::sqrt(second[i]) * correction + kEpsilon);
  }
}

NIGHTSHIFT_WIDE void MovePass(std::size_t count, const float* from, float rate, float* to) {
  NIGHTSHIFT_APART for (std::size_t i = 0; i < count; ++i) to[i] += rate * (from[i] - to[i]);
}

NIGHTSHIFT_WIDE double SquaresOf(const float* values, std::size_t count) {
  double total = 0;
  NIGHTSHIFT_APART for (std::size_t i = 0; i < count; ++i) {
    const double value = values[i];
    total += value * value;
  }
  return total;
}

/// From dL/dq down to the first layer's product, in trace.d1; fills the gradient of all above it where one is given.
void BackToFirstLayer(const CriticShape& shape, const float* p, int batch, CriticTrace& t, const float* d_q, float* g) {
  const int width = shape.width, members = shape.members, across = static_cast<int>(shape.across());
  Grow(t.d1, batch * shape.across());
  Grow(t.d2, batch * shape.across());
  if (g != nullptr) {
    LastLayerGradient(d_q, t.h2.data(), batch, members, width, g + shape.w3(), g + shape.b3());
    std::fill_n(g + shape.g1(), 2 * across, 0.0f);  // Gain and shift lie side by side.
    std::fill_n(g + shape.g2(), 2 * across, 0.0f);
  }
  SpreadToUnits(d_q, p + shape.w3(), batch, members, width, t.d2.data());
  if (g != nullptr)
    AddNormGradient(batch, across, t.n2.data(), t.h2.data(), t.d2.data(), g + shape.g2(), g + shape.c2());
  BackThroughNorm(p + shape.g2(), batch, members, width, t.n2.data(), t.h2.data(), t.s2.data(), t.d2.data());
  for (int m = 0; m < members; ++m) {
    const int at = m * width;
    const std::size_t w2 = shape.w2() + std::size_t(m) * width * width;
    Times(t.d2.data() + at, across, p + w2, width, batch, width, width, t.d1.data() + at, across);
    if (g != nullptr) Outer(t.d2.data() + at, across, t.h1.data() + at, across, batch, width, width, g + w2);
  }
  if (g != nullptr)
    AddNormGradient(batch, across, t.n1.data(), t.h1.data(), t.d1.data(), g + shape.g1(), g + shape.c1());
  BackThroughNorm(p + shape.g1(), batch, members, width, t.n1.data(), t.h1.data(), t.s1.data(), t.d1.data());
}

}  // namespace

void UseOneThread() { openblas_set_num_threads(1); }

void Forward(const ActorShape& shape, const float* p, const float* x, int batch, ActorTrace& t) {
  Grow(t.h1, std::size_t(batch) * shape.width);
  Grow(t.h2, std::size_t(batch) * shape.width);
  Grow(t.out, std::size_t(batch) * shape.outputs);
  TimesTransposed(x, shape.inputs, p + shape.w1(), batch, shape.inputs, shape.width, t.h1.data(), shape.width);
  AddBiasAndRectify(t.h1.data(), p + shape.b1(), batch, shape.width);
  TimesTransposed(t.h1.data(), shape.width, p + shape.w2(), batch, shape.width, shape.width, t.h2.data(), shape.width);
  AddBiasAndRectify(t.h2.data(), p + shape.b2(), batch, shape.width);
  TimesTransposed(t.h2.data(), shape.width, p + shape.w3(), batch, shape.width, shape.outputs, t.out.data(),
                  shape.outputs);
  AddBias(t.out.data(), p + shape.b3(), batch, shape.outputs);
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
  MaskByUnit(t.h2.data(), units, t.d2.data());
  Outer(t.d2.data(), width, t.h1.data(), width, batch, width, width, g + shape.w2());
  SumRows(t.d2.data(), batch, width, g + shape.b2());
  Times(t.d2.data(), width, p + shape.w2(), width, batch, width, width, t.d1.data(), width);
  MaskByUnit(t.h1.data(), units, t.d1.data());
  Outer(t.d1.data(), width, x, shape.inputs, batch, width, shape.inputs, g + shape.w1());
  SumRows(t.d1.data(), batch, width, g + shape.b1());
}

void Forward(const CriticShape& shape, const float* p, const float* x, int batch, CriticTrace& t) {
  const int width = shape.width, members = shape.members, across = static_cast<int>(shape.across());
  for (auto* units : {&t.n1, &t.n2, &t.h1, &t.h2}) Grow(*units, batch * shape.across());
  for (auto* each : {&t.s1, &t.s2, &t.q}) Grow(*each, std::size_t(batch) * members);
  TimesTransposed(x, shape.inputs, p + shape.w1(), batch, shape.inputs, across, t.n1.data(), across);
  NormaliseAndRectify({p + shape.b1(), p + shape.g1(), p + shape.c1()}, batch, members, width, t.n1.data(), t.h1.data(),
                      t.s1.data());
  for (int m = 0; m < members; ++m)
    TimesTransposed(t.h1.data() + m * width, across, p + shape.w2() + std::size_t(m) * width * width, batch, width,
                    width, t.n2.data() + m * width, across);
  NormaliseAndRectify({p + shape.b2(), p + shape.g2(), p + shape.c2()}, batch, members, width, t.n2.data(), t.h2.data(),
                      t.s2.data());
  ValuesOf(t.h2.data(), p + shape.w3(), p + shape.b3(), batch, members, width, t.q.data());
}

void Backward(const CriticShape& shape, const float* p, const float* x, int batch, CriticTrace& t, const float* d_q,
              float* g) {
  const int across = static_cast<int>(shape.across());
  BackToFirstLayer(shape, p, batch, t, d_q, g);
  SumRows(t.d2.data(), batch, across, g + shape.b2());
  SumRows(t.d1.data(), batch, across, g + shape.b1());
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
  state.first.resize(parameters.size());
  state.second.resize(parameters.size());
  ++state.steps;
  const double first = 1 - std::pow(0.9, static_cast<double>(state.steps));
  const double second = 1 - std::pow(0.999, static_cast<double>(state.steps));
  AdamPass(parameters.size(), static_cast<float>(learning_rate / first), scale,
           static_cast<float>(1 / std::sqrt(second)), gradient.data(), state.first.data(), state.second.data(),
           parameters.data());
}

void MoveToward(std::span<const float> from, float rate, std::span<float> to) {
  MovePass(to.size(), from.data(), rate, to.data());
}

double NormOf(std::span<const float> values) { return std::sqrt(SquaresOf(values.data(), values.size())); }

}  // namespace nightshift::learner
