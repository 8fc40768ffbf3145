// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

/// The networks' arithmetic, forward and backward, by hand over oneDNN's matrix products
/// (docs/decisions/hand-written-gradients.md says why). tests/learner/losses_test.cc holds it to LibTorch's autograd.
/// Parameters of a network lie in one flat array, so that Adam, averaging, copying and saving are each one pass.
/// Matrices are row by row; one row per sample. These functions take any number of rows; network_work.h has the same
/// networks prepared for a number of rows, faster and for several threads. Thread: any, with a trace of its own; no
/// allocation after the first call with the largest batch.
namespace nightshift::learner {

class Crew;

/// x (inputs) -> dense -> ReLU -> dense -> ReLU -> dense (outputs).
struct ActorShape {
  int inputs = 0, width = 0, outputs = 0;

  std::size_t w1() const { return 0; }
  std::size_t b1() const { return w1() + std::size_t(inputs) * width; }
  std::size_t w2() const { return b1() + width; }
  std::size_t b2() const { return w2() + std::size_t(width) * width; }
  std::size_t w3() const { return b2() + width; }
  std::size_t b3() const { return w3() + std::size_t(width) * outputs; }
  std::size_t size() const { return b3() + outputs; }
};

/// What a forward pass leaves for the backward pass.
struct ActorTrace {
  std::vector<float> h1, h2, out;  // out: batch x outputs.
  std::vector<float> d1, d2;       // Scratch of the backward pass.
};

void Forward(const ActorShape& shape, const float* parameters, const float* x, int batch, ActorTrace& trace);

/// Overwrites `gradient` (shape.size()) with the parameters' gradient, given that of the outputs.
void Backward(const ActorShape& shape, const float* parameters, const float* x, int batch, ActorTrace& trace,
              const float* d_out, float* gradient);

/// `members` independent critics side by side: x (inputs) -> dense -> LayerNorm -> ReLU -> dense -> LayerNorm -> ReLU
/// -> dense (1). The first layer of all members is one matrix.
struct CriticShape {
  int inputs = 0, width = 0, members = 0;

  std::size_t across() const { return std::size_t(width) * members; }
  std::size_t w1() const { return 0; }                         // across x inputs
  std::size_t b1() const { return w1() + across() * inputs; }  // and so on: bias, gain, shift of the norm.
  std::size_t g1() const { return b1() + across(); }
  std::size_t c1() const { return g1() + across(); }
  std::size_t w2() const { return c1() + across(); }  // members x width x width
  std::size_t b2() const { return w2() + across() * width; }
  std::size_t g2() const { return b2() + across(); }
  std::size_t c2() const { return g2() + across(); }
  std::size_t w3() const { return c2() + across(); }  // members x width
  std::size_t b3() const { return w3() + across(); }  // members
  std::size_t size() const { return b3() + members; }
};

struct CriticTrace {
  std::vector<float> n1, n2;  // Normalised, before gain and shift: batch x across.
  std::vector<float> h1;      // After ReLU.
  std::vector<float> s1, s2;  // 1 / deviation: batch x members.
  std::vector<float> q;       // batch x members.
  std::vector<float> d1, d2;  // Scratch of the backward pass.
};

void Forward(const CriticShape& shape, const float* parameters, const float* x, int batch, CriticTrace& trace);

/// Given dL/dq (batch x members): overwrites `gradient` with that of the parameters.
void Backward(const CriticShape& shape, const float* parameters, const float* x, int batch, CriticTrace& trace,
              const float* d_q, float* gradient);

/// Given dL/dq: writes dL/dx of the last `columns` inputs (batch x columns); the parameters are taken as fixed.
void BackwardToInput(const CriticShape& shape, const float* parameters, int batch, CriticTrace& trace, const float* d_q,
                     int columns, float* d_x);

/// Adam over one flat array (Kingma and Ba 2015).
struct AdamState {
  std::vector<float> first, second;
  std::int64_t steps = 0;
};

/// One step; `scale` multiplies the gradient (for clipping its norm).
void AdamStep(AdamState& state, float learning_rate, float scale, std::span<const float> gradient,
              std::span<float> parameters);

struct DescentStep {
  float learning_rate = 0;
  float scale = 1;         // Of the gradient.
  float average_rate = 0;  // Of the averaged copy.
};
/// AdamStep, then average += average_rate (parameters - average), in one pass shared by the crew; bit for bit the same
/// whatever its size.
void AdamStepAndAverage(Crew& crew, AdamState& state, const DescentStep& step, std::span<const float> gradient,
                        std::span<float> parameters, std::span<float> average);

/// to += rate * (from - to).
void MoveToward(std::span<const float> from, float rate, std::span<float> to);

/// Euclidean norm; not finite when any number is not.
double NormOf(std::span<const float> values);
/// Shared by the crew; bit for bit the same whatever its size.
double NormOf(Crew& crew, std::span<const float> values);

}  // namespace nightshift::learner
