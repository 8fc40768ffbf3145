// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <cstdint>

#include "learner/product.h"

/// What lies between the matrix products of a network, each in one pass over the numbers while they are in the cache.
/// Compiled for wide vectors too, and picked when the program is loaded. Thread: any; nothing allocates.
namespace nightshift::learner {

/// rows x members x width numbers: for each sample, for each network, its units.
struct Grid {
  int rows = 0, members = 0, width = 0;  // width: at most kUnitsMax.

  int across() const { return members * width; }
};
inline constexpr int kUnitsMax = 1024;

/// Of a dense layer and the LayerNorm after it (Ba et al. 2016); each members x width.
struct NormParameters {
  const float* bias;
  const float* gain;
  const float* shift;
};
/// What is added to.
struct NormGradient {
  float* bias = nullptr;
  float* gain = nullptr;
  float* shift = nullptr;
};

/// n: a dense layer's product in, its normalised form out; h = ReLU(gain n + shift); s = 1 / deviation, rows x members.
void NormaliseAndRectify(NormParameters p, Grid grid, float* n, float* h, float* s);
void NormaliseAndRectify(NormParameters p, Grid grid, float* n, Bfloat16* h, float* s);

/// The last two layers of a critic.
struct AnswerParameters {
  NormParameters norm;
  const float* weights;  // members x width
  const float* bias;     // members
};
/// As NormaliseAndRectify, but what is left of h is its answer q = weights h + bias, rows x members.
void NormaliseAndAnswer(AnswerParameters p, Grid grid, float* n, float* s, float* q);

struct AnswerGradient {
  NormGradient norm;
  float* weights = nullptr;
  float* bias = nullptr;
};
/// From dL/dq to d = dL/d(the dense layer's product), float or Bfloat16. Adds to the gradient where there is one (its
/// weights).
template <typename Out>
void BackThroughAnswer(AnswerParameters p, Grid grid, const float* n, const float* s, const float* d_q,
                       AnswerGradient gradient, Out* d);
/// d: dL/dh in, dL/d(the dense layer's product) out. Adds to the gradient where there is one.
void BackThroughNorm(NormParameters p, Grid grid, const float* n, const float* s, NormGradient gradient, float* d);

/// y += bias.
void AddBias(const float* bias, int rows, int columns, float* y);
/// h = ReLU(y + bias); h may be y.
void AddBiasAndRectify(const float* bias, int rows, int columns, const float* y, float* h);
void AddBiasAndRectify(const float* bias, int rows, int columns, const float* y, Bfloat16* h);
/// out = d where the unit h was on, else 0; sum (columns) = that over the rows. out may be d.
void MaskByUnit(const float* h, int rows, int columns, const float* d, float* out, float* sum);
void MaskByUnit(const float* h, int rows, int columns, const float* d, Bfloat16* out, float* sum);
void MaskByUnit(const Bfloat16* h, int rows, int columns, const float* d, float* out, float* sum);
void SumRows(const float* d, int rows, int columns, float* sum);

/// To the nearest; halves away from zero.
void Shorten(const float* from, std::size_t count, Bfloat16* to);

/// Standard normals, two of each two draws of 64 bits (Box and Muller 1958): what Dice::Normals gives for the same
/// draws, to rounding.
void NormalsOf(const std::uint64_t* draws, std::size_t count, float* normals);

/// One squashed Gaussian action per entry (Haarnoja et al. 2018, appendix C): deviation = exp(log_std),
/// action = tanh(mean + deviation noise), and its log probability.
void SquashSamples(const float* mean, const float* log_std, const float* noise, std::size_t count, float* deviation,
                   float* action, float* log_probability);
void TanhOf(const float* x, std::size_t count, float* y);

/// to += from.
void AddTo(const float* from, std::size_t count, float* to);
double SquaresOf(const float* values, std::size_t count);

/// One step of Adam (Kingma and Ba 2015) on `count` numbers, as AdamStep (kernel.h) has worked out its factors; then,
/// where there is one, average += rate (parameters - average).
struct AdamFactors {
  float rate = 0, scale = 0, correction = 0;
};
struct Moments {
  float* first;
  float* second;
};
void AdamPass(AdamFactors factors, const float* gradient, std::size_t count, Moments moments, float* parameters);
void AdamAndAveragePass(AdamFactors factors, const float* gradient, std::size_t count, Moments moments,
                        float* parameters, float average_rate, float* average);
void MovePass(const float* from, std::size_t count, float rate, float* to);

}  // namespace nightshift::learner
