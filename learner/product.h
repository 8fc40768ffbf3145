// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <memory>
#include <string>

/// Matrix products, prepared once for their shape and then repeated, over oneDNN, which writes its code for the
/// processor it finds: AVX2, AVX-512, and for bf16 AVX-512 BF16 or AMX (for whose tiles it asks Linux).
/// docs/decisions/hand-written-gradients.md says why not OpenBLAS. All matrices are row by row.
namespace nightshift::learner {

/// The upper half of a float: as wide a range, 8 bits of precision.
using Bfloat16 = std::uint16_t;

/// Whether the processor multiplies bf16 faster than fp32.
bool HasBf16();
/// What products run on here, for people: "AMX bf16", "AVX-512 bf16", "AVX-512", "AVX2" or "x86-64".
std::string ProductUnit();

/// c (rows x columns) = a (rows x inner) times b (inner x columns).
struct ProductShape {
  enum class Layout { kAsIs, kTransposed };  // Transposed: stored as inner x rows, or columns x inner.
  enum class Element { kFp32, kBf16 };       // Of a and b; c is fp32 and sums are fp32.

  int rows = 0, columns = 0, inner = 0;
  Layout a = Layout::kAsIs, b = Layout::kAsIs;
  Element element = Element::kFp32;
  int a_stride = 0, b_stride = 0;  // Numbers between the stored rows; 0: they lie side by side.
};

/// Thread: any one at a time, which it makes one that oneDNN does not split its work over. oneDNN allocates a few
/// hundred bytes per call; scratch space is kept per thread.
class Product {
 public:
  explicit Product(const ProductShape& shape);
  Product(Product&&) noexcept;
  Product& operator=(Product&&) noexcept;
  ~Product();

  /// Elements as the shape says.
  void Multiply(const void* a, const void* b, float* c);

 private:
  struct Prepared;
  std::unique_ptr<Prepared> prepared_;
};

/// Of any shape, fp32, without preparation and a tenth slower: c = a b, or b transposed, or a transposed. Strides are
/// the numbers between stored rows. Thread: any.
struct AnyProduct {
  ProductShape::Layout a = ProductShape::Layout::kAsIs, b = ProductShape::Layout::kAsIs;
  int rows = 0, columns = 0, inner = 0;
  int a_stride = 0, b_stride = 0, c_stride = 0;
};
void Multiply(const AnyProduct& shape, const float* a, const float* b, float* c);

}  // namespace nightshift::learner
