// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>

#include "learner/config.h"
#include "learner/kernel.h"

/// The networks' passes for a fixed number of rows, prepared: workspaces, and matrix products of known shapes. What the
/// jobs of an update do, each with an object of its own, so that they may run at the same time.
/// With Precision::kBf16 the products of the hidden layers are bf16 with fp32 sums. The first and the last layers stay
/// fp32: what is measured must not be rounded to 8 bits, and they are a fourteenth of the work. Parameters, norms and
/// gradients are fp32. Thread: one at a time.
namespace nightshift::learner {

/// One of the critics.
class CriticWork {
 public:
  virtual ~CriticWork() = default;
  /// Of x (rows x inputs), by the parameters of all critics; keeps what the ways back need.
  virtual void Forward(const float* parameters, const float* x) = 0;
  virtual const float* q() const = 0;  // rows
  /// After Forward with the same: overwrites this critic's part of `gradient` (of all critics), given dL/dq (rows).
  virtual void Backward(const float* parameters, const float* x, const float* d_q, float* gradient) = 0;
  /// After Forward: overwrites dL/dx of the last `columns` inputs, fixed when made (rows x columns).
  virtual void BackwardToInput(const float* parameters, const float* d_q, float* d_x) = 0;
};

struct CriticWorkShape {
  CriticShape critics;
  int member = 0;         // Which of them.
  int rows = 0;           // Of a batch.
  int input_columns = 0;  // For BackwardToInput.
};
std::unique_ptr<CriticWork> MakeCriticWork(const CriticWorkShape& shape, Precision precision);

/// The actor, for some rows of a batch.
class ActorWork {
 public:
  virtual ~ActorWork() = default;
  virtual void Forward(const float* parameters, const float* x) = 0;
  virtual const float* out() const = 0;  // rows x outputs
  /// After Forward with the same: overwrites `gradient`, given dL/dout.
  virtual void Backward(const float* parameters, const float* x, const float* d_out, float* gradient) = 0;
};
std::unique_ptr<ActorWork> MakeActorWork(const ActorShape& shape, int rows, Precision precision);

}  // namespace nightshift::learner
