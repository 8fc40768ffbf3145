// SPDX-License-Identifier: Apache-2.0
#include "learner/passes.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#if defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && \
    defined(__x86_64__)
#define NIGHTSHIFT_WIDE __attribute__((target_clones("arch=skylake-avx512", "arch=haswell", "default")))
#else
#define NIGHTSHIFT_WIDE
#endif

// The arrays of these loops are apart or the same, entry for entry, which the compiler cannot know.
#if defined(__GNUC__) && !defined(__clang__)
#define NIGHTSHIFT_APART _Pragma("GCC ivdep")
#define NIGHTSHIFT_INLINE inline __attribute__((always_inline))
#else
#define NIGHTSHIFT_APART
#define NIGHTSHIFT_INLINE inline
#endif

namespace nightshift::learner {

namespace {

constexpr float kNormEpsilon = 1e-5f;  // As LibTorch's LayerNorm.

NIGHTSHIFT_INLINE void Store(float v, float& to) { to = v; }
NIGHTSHIFT_INLINE void Store(float v, Bfloat16& to) {
  const auto bits = std::bit_cast<std::uint32_t>(v);
  to = static_cast<Bfloat16>((bits + 0x8000u) >> 16);
}
NIGHTSHIFT_INLINE bool IsOn(float h) { return h > 0; }
NIGHTSHIFT_INLINE bool IsOn(Bfloat16 h) { return h != 0; }  // Rectified: never negative.

struct Row {
  float mean, inverse;
};

/// Adds the bias to a row of one network and measures it, in one pass: the squares are those of the distances to the
/// row's first number, which is about as far from the mean as any, so that nothing is lost where they are subtracted.
NIGHTSHIFT_INLINE Row MeasureRow(const float* bias, int width, float* n) {
  const float pivot = n[0] + bias[0];
  float sum = 0, squares = 0;
  NIGHTSHIFT_APART for (int i = 0; i < width; ++i) {
    const float v = n[i] + bias[i], away = v - pivot;
    n[i] = v;
    sum += away;
    squares += away * away;
  }
  const float mean = sum / static_cast<float>(width);
  const float variance = squares / static_cast<float>(width) - mean * mean;
  return {pivot + mean, 1 / std::sqrt((variance > 0 ? variance : 0) + kNormEpsilon)};
}

template <typename Out>
NIGHTSHIFT_INLINE void NormaliseRows(NormParameters p, Grid g, float* n, Out* h, float* s) {
  for (int r = 0; r < g.rows; ++r)
    for (int m = 0; m < g.members; ++m, n += g.width, h += g.width, ++s) {
      const float* gain = p.gain + m * g.width;
      const float* shift = p.shift + m * g.width;
      const Row row = MeasureRow(p.bias + m * g.width, g.width, n);
      *s = row.inverse;
      NIGHTSHIFT_APART for (int i = 0; i < g.width; ++i) {
        const float v = (n[i] - row.mean) * row.inverse;
        const float out = gain[i] * v + shift[i];
        n[i] = v;
        Store(out > 0 ? out : 0, h[i]);
      }
    }
}

struct Sums {
  float plain = 0, along = 0;
};

/// The second half of going back through a norm: v is the gradient at its output times gain.
template <typename Out>
NIGHTSHIFT_INLINE void FinishRow(Sums sums, float inverse, int width, const float* n, const float* v, Out* d) {
  const float mean = sums.plain / static_cast<float>(width), along = sums.along / static_cast<float>(width);
  NIGHTSHIFT_APART for (int i = 0; i < width; ++i) Store(inverse * (v[i] - mean - n[i] * along), d[i]);
}

template <typename Out>
NIGHTSHIFT_INLINE void FinishRow(Sums sums, float inverse, int width, const float* n, const float* v, Out* d,
                                 float* d_bias) {
  const float mean = sums.plain / static_cast<float>(width), along = sums.along / static_cast<float>(width);
  NIGHTSHIFT_APART for (int i = 0; i < width; ++i) {
    const float out = inverse * (v[i] - mean - n[i] * along);
    d_bias[i] += out;
    Store(out, d[i]);
  }
}

template <typename Out>
NIGHTSHIFT_INLINE void AnswerRowsBack(AnswerParameters p, Grid g, const float* n, const float* s, const float* d_q,
                                      Out* d) {
  float v[kUnitsMax];
  for (int r = 0; r < g.rows; ++r)
    for (int m = 0; m < g.members; ++m, n += g.width, d += g.width, ++s, ++d_q) {
      const int at = m * g.width;
      const float *gain = p.norm.gain + at, *shift = p.norm.shift + at, *weights = p.weights + at;
      Sums sums;
      NIGHTSHIFT_APART for (int i = 0; i < g.width; ++i) {
        const float through = *d_q * weights[i] * gain[i];
        const float here = gain[i] * n[i] + shift[i] > 0 ? through : 0;
        v[i] = here;
        sums.plain += here;
        sums.along += here * n[i];
      }
      FinishRow(sums, *s, g.width, n, v, d);
    }
}

template <typename Out>
NIGHTSHIFT_INLINE void AnswerRowsBackAndLearn(AnswerParameters p, Grid g, const float* n, const float* s,
                                              const float* d_q, AnswerGradient to, Out* d) {
  float v[kUnitsMax];
  for (int r = 0; r < g.rows; ++r)
    for (int m = 0; m < g.members; ++m, n += g.width, d += g.width, ++s, ++d_q) {
      const int at = m * g.width;
      const float *gain = p.norm.gain + at, *shift = p.norm.shift + at, *weights = p.weights + at;
      float *d_gain = to.norm.gain + at, *d_shift = to.norm.shift + at, *d_weights = to.weights + at;
      to.bias[m] += *d_q;
      Sums sums;
      NIGHTSHIFT_APART for (int i = 0; i < g.width; ++i) {
        const float out = gain[i] * n[i] + shift[i], onward = *d_q * weights[i];
        const float here = out > 0 ? onward : 0;
        d_weights[i] += *d_q * (out > 0 ? out : 0);
        d_gain[i] += here * n[i];
        d_shift[i] += here;
        v[i] = here * gain[i];
        sums.plain += here * gain[i];
        sums.along += here * gain[i] * n[i];
      }
      FinishRow(sums, *s, g.width, n, v, d, to.norm.bias + at);
    }
}

template <typename Out>
NIGHTSHIFT_INLINE void RectifyRows(const float* bias, int rows, int columns, const float* y, Out* h) {
  for (int r = 0; r < rows; ++r, y += columns, h += columns) NIGHTSHIFT_APART for (int c = 0; c < columns; ++c) {
      const float v = y[c] + bias[c];
      Store(v > 0 ? v : 0, h[c]);
    }
}

template <typename In, typename Out>
NIGHTSHIFT_INLINE void MaskRows(const In* h, int rows, int columns, const float* d, Out* out, float* sum) {
  std::fill_n(sum, columns, 0.0f);
  for (int r = 0; r < rows; ++r, d += columns, h += columns, out += columns)
    NIGHTSHIFT_APART for (int c = 0; c < columns; ++c) {
      const float here = d[c];  // Loaded in any case, or the loop is not vectorised.
      const float v = IsOn(h[c]) ? here : 0;
      sum[c] += v;
      Store(v, out[c]);
    }
}

// Elementary functions after Moshier's Cephes library (expf, logf, sinf), without branches, so that loops over them
// become vectors. Relative error below 3e-7.

NIGHTSHIFT_INLINE float Exp(float x) {
  const float within = std::min(std::max(x, -87.0f), 88.0f);
  const float turns = within * 1.44269504f;
  const int n = static_cast<int>(turns + (turns >= 0 ? 0.5f : -0.5f));
  const float whole = static_cast<float>(n);
  const float r = (within - whole * 0.693359375f) + whole * 2.12194440e-4f;
  float y = 1.9875691500e-4f;
  y = y * r + 1.3981999507e-3f;
  y = y * r + 8.3334519073e-3f;
  y = y * r + 4.1665795894e-2f;
  y = y * r + 1.6666665459e-1f;
  y = y * r + 5.0000001201e-1f;
  y = y * r * r + r + 1;
  const float result = y * std::bit_cast<float>(static_cast<std::uint32_t>(n + 127) << 23);
  return x == x ? result : x;  // Divergence is found by NaN: it must not be clamped away.
}

/// Of normal positive numbers.
NIGHTSHIFT_INLINE float Log(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  const std::uint32_t shifted = bits - 0x3f3504f3u;  // sqrt(1/2): mantissas from there to sqrt(2).
  const float exponent = static_cast<float>(static_cast<std::int32_t>(shifted) >> 23);
  const float r = std::bit_cast<float>((shifted & 0x007fffffu) + 0x3f3504f3u) - 1;
  float y = 7.0376836292e-2f;
  y = y * r - 1.1514610310e-1f;
  y = y * r + 1.1676998740e-1f;
  y = y * r - 1.2420140846e-1f;
  y = y * r + 1.4249322787e-1f;
  y = y * r - 1.6668057665e-1f;
  y = y * r + 2.0000714765e-1f;
  y = y * r - 2.4999993993e-1f;
  y = y * r + 3.3333331174e-1f;
  const float square = r * r;
  y = y * r * square - 2.12194440e-4f * exponent - 0.5f * square;
  return r + y + 0.693359375f * exponent;
}

NIGHTSHIFT_INLINE float Tanh(float x) {
  const float size = x < 0 ? -x : x;
  const float t = Exp(-2 * size);
  const float square = x * x;
  const float small = x + x * square * (-0.33333333f + square * (0.13333333f - square * 0.053968254f));
  const float large = (1 - t) / (1 + t);
  return size < 0.1f ? small : (x < 0 ? -large : large);
}

/// Cosine and sine of a share of a full turn in [0, 1).
NIGHTSHIFT_INLINE void Turn(float share, float& cosine, float& sine) {
  const float quarters = share * 4;
  const int q = static_cast<int>(quarters + 0.5f);
  const float r = (quarters - static_cast<float>(q)) * 1.57079633f, z = r * r;
  const float s = r + r * z * (-1.6666654611e-1f + z * (8.3321608736e-3f - z * 1.9515295891e-4f));
  const float c =
      1 - 0.5f * z + z * z * (4.166664568298827e-2f + z * (-1.388731625493765e-3f + z * 2.443315711809948e-5f));
  const float c1 = (q & 1) != 0 ? s : c, s1 = (q & 1) != 0 ? c : s;
  cosine = ((q + 1) & 2) != 0 ? -c1 : c1;
  sine = (q & 2) != 0 ? -s1 : s1;
}

NIGHTSHIFT_INLINE float UnitOf(std::uint32_t top_24_bits) {
  return (static_cast<float>(static_cast<std::int32_t>(top_24_bits)) + 0.5f) * 0x1p-24f;
}

constexpr float kAdamFirst = 0.9f, kAdamSecond = 0.999f, kAdamEpsilon = 1e-8f;

NIGHTSHIFT_INLINE float AdamOne(AdamFactors f, float gradient, float& first, float& second, float parameter) {
  const float g = gradient * f.scale;
  const float m = kAdamFirst * first + (1 - kAdamFirst) * g;
  const float v = kAdamSecond * second + (1 - kAdamSecond) * g * g;
  first = m;
  second = v;
  return parameter - f.rate * m / (std::sqrt(v) * f.correction + kAdamEpsilon);
}

}  // namespace

NIGHTSHIFT_WIDE void NormaliseAndRectify(NormParameters p, Grid grid, float* n, float* h, float* s) {
  NormaliseRows(p, grid, n, h, s);
}
NIGHTSHIFT_WIDE void NormaliseAndRectify(NormParameters p, Grid grid, float* n, Bfloat16* h, float* s) {
  NormaliseRows(p, grid, n, h, s);
}

NIGHTSHIFT_WIDE void NormaliseAndAnswer(AnswerParameters p, Grid g, float* n, float* s, float* q) {
  for (int r = 0; r < g.rows; ++r)
    for (int m = 0; m < g.members; ++m, n += g.width, ++s, ++q) {
      const int at = m * g.width;
      const float *gain = p.norm.gain + at, *shift = p.norm.shift + at, *weights = p.weights + at;
      const Row row = MeasureRow(p.norm.bias + at, g.width, n);
      *s = row.inverse;
      float answer = 0;
      NIGHTSHIFT_APART for (int i = 0; i < g.width; ++i) {
        const float v = (n[i] - row.mean) * row.inverse;
        const float out = gain[i] * v + shift[i];
        n[i] = v;
        answer += (out > 0 ? out : 0) * weights[i];
      }
      *q = answer + p.bias[m];
    }
}

template <typename Out>
NIGHTSHIFT_WIDE void BackThroughAnswer(AnswerParameters p, Grid grid, const float* n, const float* s, const float* d_q,
                                       AnswerGradient gradient, Out* d) {
  if (gradient.weights == nullptr)
    AnswerRowsBack(p, grid, n, s, d_q, d);
  else
    AnswerRowsBackAndLearn(p, grid, n, s, d_q, gradient, d);
}
template void BackThroughAnswer(AnswerParameters, Grid, const float*, const float*, const float*, AnswerGradient,
                                float*);
template void BackThroughAnswer(AnswerParameters, Grid, const float*, const float*, const float*, AnswerGradient,
                                Bfloat16*);

NIGHTSHIFT_WIDE void BackThroughNorm(NormParameters p, Grid g, const float* n, const float* s, NormGradient to,
                                     float* d) {
  float v[kUnitsMax];
  for (int r = 0; r < g.rows; ++r)
    for (int m = 0; m < g.members; ++m, n += g.width, d += g.width, ++s) {
      const int at = m * g.width;
      const float *gain = p.gain + at, *shift = p.shift + at;
      Sums sums;
      if (to.gain == nullptr) {
        NIGHTSHIFT_APART for (int i = 0; i < g.width; ++i) {
          const float through = d[i] * gain[i];
          const float here = gain[i] * n[i] + shift[i] > 0 ? through : 0;
          v[i] = here;
          sums.plain += here;
          sums.along += here * n[i];
        }
        FinishRow(sums, *s, g.width, n, v, d);
        continue;
      }
      float *d_gain = to.gain + at, *d_shift = to.shift + at;
      NIGHTSHIFT_APART for (int i = 0; i < g.width; ++i) {
        const float onward = d[i];
        const float here = gain[i] * n[i] + shift[i] > 0 ? onward : 0;
        d_gain[i] += here * n[i];
        d_shift[i] += here;
        v[i] = here * gain[i];
        sums.plain += here * gain[i];
        sums.along += here * gain[i] * n[i];
      }
      FinishRow(sums, *s, g.width, n, v, d, to.bias + at);
    }
}

NIGHTSHIFT_WIDE void AddBias(const float* bias, int rows, int columns, float* y) {
  for (int r = 0; r < rows; ++r, y += columns) NIGHTSHIFT_APART for (int c = 0; c < columns; ++c) y[c] += bias[c];
}
NIGHTSHIFT_WIDE void AddBiasAndRectify(const float* bias, int rows, int columns, const float* y, float* h) {
  RectifyRows(bias, rows, columns, y, h);
}
NIGHTSHIFT_WIDE void AddBiasAndRectify(const float* bias, int rows, int columns, const float* y, Bfloat16* h) {
  RectifyRows(bias, rows, columns, y, h);
}
NIGHTSHIFT_WIDE void MaskByUnit(const float* h, int rows, int columns, const float* d, float* out, float* sum) {
  MaskRows(h, rows, columns, d, out, sum);
}
NIGHTSHIFT_WIDE void MaskByUnit(const float* h, int rows, int columns, const float* d, Bfloat16* out, float* sum) {
  MaskRows(h, rows, columns, d, out, sum);
}
NIGHTSHIFT_WIDE void MaskByUnit(const Bfloat16* h, int rows, int columns, const float* d, float* out, float* sum) {
  MaskRows(h, rows, columns, d, out, sum);
}
NIGHTSHIFT_WIDE void SumRows(const float* d, int rows, int columns, float* sum) {
  std::fill_n(sum, columns, 0.0f);
  for (int r = 0; r < rows; ++r, d += columns) NIGHTSHIFT_APART for (int c = 0; c < columns; ++c) sum[c] += d[c];
}

NIGHTSHIFT_WIDE void Shorten(const float* from, std::size_t count, Bfloat16* to) {
  NIGHTSHIFT_APART for (std::size_t i = 0; i < count; ++i) Store(from[i], to[i]);
}

NIGHTSHIFT_WIDE void NormalsOf(const std::uint64_t* draws, std::size_t count, float* normals) {
  NIGHTSHIFT_APART for (std::size_t i = 0; i < count / 2; ++i) {
    const float radius = std::sqrt(-2.0f * Log(UnitOf(static_cast<std::uint32_t>(draws[2 * i] >> 40))));
    float cosine = 0, sine = 0;
    Turn(UnitOf(static_cast<std::uint32_t>(draws[2 * i + 1] >> 40)), cosine, sine);
    normals[2 * i] = radius * cosine;
    normals[2 * i + 1] = radius * sine;
  }
}

NIGHTSHIFT_WIDE void SquashSamples(const float* mean, const float* log_std, const float* noise, std::size_t count,
                                   float* deviation, float* action, float* log_probability) {
  constexpr float kLogRootTwoPi = 0.9189385f, kLogTwo = 0.6931472f;
  NIGHTSHIFT_APART for (std::size_t i = 0; i < count; ++i) {
    const float spread = Exp(log_std[i]);
    const float u = mean[i] + spread * noise[i], size = u < 0 ? -u : u;
    deviation[i] = spread;
    action[i] = Tanh(u);
    // log(1 - tanh(u)^2), without losing it all where tanh is nearly 1.
    const float log_squash = 2 * (kLogTwo - size - Log(1 + Exp(-2 * size)));
    log_probability[i] = -0.5f * noise[i] * noise[i] - log_std[i] - kLogRootTwoPi - log_squash;
  }
}

NIGHTSHIFT_WIDE void TanhOf(const float* x, std::size_t count, float* y) {
  NIGHTSHIFT_APART for (std::size_t i = 0; i < count; ++i) y[i] = Tanh(x[i]);
}

NIGHTSHIFT_WIDE void AddTo(const float* from, std::size_t count, float* to) {
  NIGHTSHIFT_APART for (std::size_t i = 0; i < count; ++i) to[i] += from[i];
}

NIGHTSHIFT_WIDE double SquaresOf(const float* values, std::size_t count) {
  double total = 0;
  NIGHTSHIFT_APART for (std::size_t i = 0; i < count; ++i) {
    const double value = values[i];
    total += value * value;
  }
  return total;
}

NIGHTSHIFT_WIDE void AdamPass(AdamFactors factors, const float* gradient, std::size_t count, Moments moments,
                              float* parameters) {
  NIGHTSHIFT_APART for (std::size_t i = 0; i < count; ++i) parameters[i] =
      AdamOne(factors, gradient[i], moments.first[i], moments.second[i], parameters[i]);
}

NIGHTSHIFT_WIDE void AdamAndAveragePass(AdamFactors factors, const float* gradient, std::size_t count, Moments moments,
                                        float* parameters, float average_rate, float* average) {
  NIGHTSHIFT_APART for (std::size_t i = 0; i < count; ++i) {
    const float p = AdamOne(factors, gradient[i], moments.first[i], moments.second[i], parameters[i]);
    parameters[i] = p;
    average[i] += average_rate * (p - average[i]);
  }
}

NIGHTSHIFT_WIDE void MovePass(const float* from, std::size_t count, float rate, float* to) {
  NIGHTSHIFT_APART for (std::size_t i = 0; i < count; ++i) to[i] += rate * (from[i] - to[i]);
}

}  // namespace nightshift::learner
