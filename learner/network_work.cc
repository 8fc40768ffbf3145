// SPDX-License-Identifier: Apache-2.0
#include "learner/network_work.h"

#include <algorithm>
#include <type_traits>
#include <vector>

#include "learner/passes.h"
#include "learner/product.h"

namespace nightshift::learner {

namespace {

using Element = ProductShape::Element;

/// y (rows x outputs) = x W^T, W stored outputs x inputs.
ProductShape Onward(int rows, int inputs, int outputs, Element element = Element::kFp32) {
  return {
      .rows = rows, .columns = outputs, .inner = inputs, .b = ProductShape::Layout::kTransposed, .element = element};
}
/// dx (rows x inputs) = dy W.
ProductShape Back(int rows, int inputs, int outputs, Element element = Element::kFp32) {
  return {.rows = rows, .columns = inputs, .inner = outputs, .element = element};
}
/// dW (outputs x inputs) = dy^T x.
ProductShape Outer(int rows, int inputs, int outputs, Element element = Element::kFp32) {
  return {
      .rows = outputs, .columns = inputs, .inner = rows, .a = ProductShape::Layout::kTransposed, .element = element};
}

/// The hidden layer, whose products are in T: float, or Bfloat16.
template <typename T>
class Hidden {
 public:
  Hidden(int rows, int width)
      : h1(Count(rows, width)),
        d2(Count(rows, width)),
        onward_(Onward(rows, width, width, kElement)),
        back_(Back(rows, width, width, kElement)),
        outer_(Outer(rows, width, width, kElement)) {
    if constexpr (kShort) short_w2_.resize(Count(width, width));
  }

  /// y = h1 W^T
  void Forward(const float* w2, float* y) {
    if constexpr (kShort) Shorten(w2, short_w2_.size(), short_w2_.data());
    onward_.Multiply(h1.data(), Weights(w2), y);
  }
  /// After Forward with the same weights: d1 = d2 W
  void Backward(const float* w2, float* d1) { back_.Multiply(d2.data(), Weights(w2), d1); }
  /// dW = d2^T h1
  void Gradient(float* d_w2) { outer_.Multiply(d2.data(), h1.data(), d_w2); }

  std::vector<T> h1;  // What goes in, rows x width.
  std::vector<T> d2;  // The gradient at what comes out.

 private:
  static constexpr bool kShort = std::is_same_v<T, Bfloat16>;
  static constexpr Element kElement = kShort ? Element::kBf16 : Element::kFp32;
  static std::size_t Count(int rows, int columns) {
    return static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns);
  }
  const void* Weights(const float* w2) const {
    if constexpr (kShort) return short_w2_.data();
    return w2;
  }

  std::vector<T> short_w2_;
  Product onward_, back_, outer_;
};

template <typename T>
class CriticWorkIn final : public CriticWork {
 public:
  explicit CriticWorkIn(const CriticWorkShape& s)
      : shape_(s.critics),
        grid_{s.rows, 1, s.critics.width},
        columns_(s.input_columns),
        unit_(static_cast<std::size_t>(s.member) * static_cast<std::size_t>(s.critics.width)),
        member_(static_cast<std::size_t>(s.member)),
        hidden_(s.rows, s.critics.width),
        onward_(Onward(s.rows, s.critics.inputs, s.critics.width)),
        outer_(Outer(s.rows, s.critics.inputs, s.critics.width)),
        to_input_(ToInput(s)) {
    const std::size_t rows = static_cast<std::size_t>(s.rows), units = rows * static_cast<std::size_t>(grid_.width);
    for (auto* each : {&n1_, &n2_, &d1_}) each->resize(units);
    for (auto* each : {&s1_, &s2_, &q_}) each->resize(rows);
  }

  void Forward(const float* p, const float* x) override {
    onward_.Multiply(x, p + w1(), n1_.data());
    NormaliseAndRectify(FirstNorm(p), grid_, n1_.data(), hidden_.h1.data(), s1_.data());
    hidden_.Forward(p + w2(), n2_.data());
    NormaliseAndAnswer(Answer(p), grid_, n2_.data(), s2_.data(), q_.data());
  }
  const float* q() const override { return q_.data(); }

  void Backward(const float* p, const float* x, const float* d_q, float* g) override {
    Clear(g);
    const auto at = [&](std::size_t base) { return g + base + unit_; };
    BackThroughAnswer(Answer(p), grid_, n2_.data(), s2_.data(), d_q,
                      {{at(shape_.b2()), at(shape_.g2()), at(shape_.c2())}, at(shape_.w3()), g + shape_.b3() + member_},
                      hidden_.d2.data());
    hidden_.Gradient(g + w2());
    hidden_.Backward(p + w2(), d1_.data());
    BackThroughNorm(FirstNorm(p), grid_, n1_.data(), s1_.data(), {at(shape_.b1()), at(shape_.g1()), at(shape_.c1())},
                    d1_.data());
    outer_.Multiply(d1_.data(), x, g + w1());
  }

  void BackwardToInput(const float* p, const float* d_q, float* d_x) override {
    BackThroughAnswer(Answer(p), grid_, n2_.data(), s2_.data(), d_q, {}, hidden_.d2.data());
    hidden_.Backward(p + w2(), d1_.data());
    BackThroughNorm(FirstNorm(p), grid_, n1_.data(), s1_.data(), {}, d1_.data());
    to_input_.Multiply(d1_.data(), p + w1() + shape_.inputs - columns_, d_x);
  }

 private:
  static ProductShape ToInput(const CriticWorkShape& s) {
    ProductShape product = Back(s.rows, s.input_columns, s.critics.width);
    product.b_stride = s.critics.inputs;
    return product;
  }
  std::size_t w1() const { return shape_.w1() + unit_ * static_cast<std::size_t>(shape_.inputs); }
  std::size_t w2() const { return shape_.w2() + unit_ * static_cast<std::size_t>(shape_.width); }
  NormParameters FirstNorm(const float* p) const {
    return {p + shape_.b1() + unit_, p + shape_.g1() + unit_, p + shape_.c1() + unit_};
  }
  AnswerParameters Answer(const float* p) const {
    return {{p + shape_.b2() + unit_, p + shape_.g2() + unit_, p + shape_.c2() + unit_},
            p + shape_.w3() + unit_,
            p + shape_.b3() + member_};
  }
  /// What the passes add to; the products overwrite.
  void Clear(float* g) const {
    for (const std::size_t base :
         {shape_.b1(), shape_.g1(), shape_.c1(), shape_.b2(), shape_.g2(), shape_.c2(), shape_.w3()})
      std::fill_n(g + base + unit_, shape_.width, 0.0f);
    g[shape_.b3() + member_] = 0;
  }
  CriticShape shape_;
  Grid grid_;
  int columns_;
  std::size_t unit_, member_;
  Hidden<T> hidden_;
  Product onward_, outer_, to_input_;  // Of the first layer.
  std::vector<float> n1_, n2_;         // Normalised.
  std::vector<float> s1_, s2_;         // 1 / deviation of each row.
  std::vector<float> d1_, q_;
};

template <typename T>
class ActorWorkIn final : public ActorWork {
 public:
  ActorWorkIn(const ActorShape& s, int rows)
      : shape_(s),
        rows_(rows),
        hidden_(rows, s.width),
        onward1_(Onward(rows, s.inputs, s.width)),
        outer1_(Outer(rows, s.inputs, s.width)),
        onward3_(Onward(rows, s.width, s.outputs)),
        back3_(Back(rows, s.width, s.outputs)),
        outer3_(Outer(rows, s.width, s.outputs)) {
    const auto units = static_cast<std::size_t>(rows) * static_cast<std::size_t>(s.width);
    for (auto* each : {&y_, &h2_, &d_}) each->resize(units);
    out_.resize(static_cast<std::size_t>(rows) * static_cast<std::size_t>(s.outputs));
  }

  void Forward(const float* p, const float* x) override {
    onward1_.Multiply(x, p + shape_.w1(), y_.data());
    AddBiasAndRectify(p + shape_.b1(), rows_, shape_.width, y_.data(), hidden_.h1.data());
    hidden_.Forward(p + shape_.w2(), h2_.data());
    AddBiasAndRectify(p + shape_.b2(), rows_, shape_.width, h2_.data(), h2_.data());
    onward3_.Multiply(h2_.data(), p + shape_.w3(), out_.data());
    AddBias(p + shape_.b3(), rows_, shape_.outputs, out_.data());
  }
  const float* out() const override { return out_.data(); }

  void Backward(const float* p, const float* x, const float* d_out, float* g) override {
    outer3_.Multiply(d_out, h2_.data(), g + shape_.w3());
    SumRows(d_out, rows_, shape_.outputs, g + shape_.b3());
    back3_.Multiply(d_out, p + shape_.w3(), d_.data());
    MaskByUnit(h2_.data(), rows_, shape_.width, d_.data(), hidden_.d2.data(), g + shape_.b2());
    hidden_.Gradient(g + shape_.w2());
    hidden_.Backward(p + shape_.w2(), d_.data());
    MaskByUnit(hidden_.h1.data(), rows_, shape_.width, d_.data(), d_.data(), g + shape_.b1());
    outer1_.Multiply(d_.data(), x, g + shape_.w1());
  }

 private:
  ActorShape shape_;
  int rows_;
  Hidden<T> hidden_;
  Product onward1_, outer1_;          // Of the first layer.
  Product onward3_, back3_, outer3_;  // Of the last.
  std::vector<float> y_, h2_, d_, out_;
};

}  // namespace

std::unique_ptr<CriticWork> MakeCriticWork(const CriticWorkShape& shape, Precision precision) {
  if (precision == Precision::kBf16) return std::make_unique<CriticWorkIn<Bfloat16>>(shape);
  return std::make_unique<CriticWorkIn<float>>(shape);
}

std::unique_ptr<ActorWork> MakeActorWork(const ActorShape& shape, int rows, Precision precision) {
  if (precision == Precision::kBf16) return std::make_unique<ActorWorkIn<Bfloat16>>(shape, rows);
  return std::make_unique<ActorWorkIn<float>>(shape, rows);
}

}  // namespace nightshift::learner
