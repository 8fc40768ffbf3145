// SPDX-License-Identifier: Apache-2.0
#include "learner/product.h"

#include <array>
#include <oneapi/dnnl/dnnl.hpp>
#include <vector>

#include "core/check.h"

// Of libgomp, which oneDNN brings along; declared here because clang has no omp.h of its own in Debian 12.
extern "C" void omp_set_num_threads(int count);

namespace nightshift::learner {

namespace {

using Layout = ProductShape::Layout;

/// Once per thread: a pool of OpenMP threads would spin against our own and against control.
void BeAlone() {
  thread_local const bool alone = [] {
    omp_set_num_threads(1);
    return true;
  }();
  (void)alone;
}

const dnnl::engine& Engine() {
  static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

const dnnl::stream& Stream() {
  thread_local const dnnl::stream stream(Engine());
  return stream;
}

/// Shared by all products of a thread, which run one after the other.
void* Scratch(std::size_t bytes) {
  constexpr std::size_t kPage = 4096;
  thread_local std::vector<char> scratch;
  if (scratch.size() < bytes + kPage) scratch.resize(bytes + kPage);
  void* at = scratch.data();
  std::size_t space = scratch.size();
  return std::align(kPage, bytes, at, space);
}

dnnl::memory::desc Describe(int rows, int columns, dnnl::memory::data_type element, Layout layout, int stride) {
  const dnnl::memory::dims strides = layout == Layout::kAsIs ? dnnl::memory::dims{stride > 0 ? stride : columns, 1}
                                                             : dnnl::memory::dims{1, stride > 0 ? stride : rows};
  return {dnnl::memory::dims{rows, columns}, element, strides};
}

bool Has(dnnl::cpu_isa wanted) {
  const auto bits = static_cast<unsigned>(wanted);
  return (static_cast<unsigned>(dnnl::get_effective_cpu_isa()) & bits) == bits;
}

}  // namespace

bool HasBf16() { return Has(dnnl::cpu_isa::avx512_core_bf16); }

std::string ProductUnit() {
  if (Has(dnnl::cpu_isa::avx512_core_amx)) return "AMX bf16";
  if (HasBf16()) return "AVX-512 bf16";
  if (Has(dnnl::cpu_isa::avx512_core)) return "AVX-512";
  return Has(dnnl::cpu_isa::avx2) ? "AVX2" : "x86-64";
}

struct Product::Prepared {
  dnnl::matmul multiply;
  dnnl::memory a, b, c, scratch;
  std::size_t scratch_bytes = 0;
  std::array<dnnl_exec_arg_t, 4> arguments{};
};

Product::Product(const ProductShape& s) : prepared_(std::make_unique<Prepared>()) {
  BeAlone();
  try {
    const auto element =
        s.element == ProductShape::Element::kFp32 ? dnnl::memory::data_type::f32 : dnnl::memory::data_type::bf16;
    dnnl::primitive_attr attributes;
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    const dnnl::matmul::primitive_desc how(
        dnnl::matmul::desc(Describe(s.rows, s.inner, element, s.a, s.a_stride),
                           Describe(s.inner, s.columns, element, s.b, s.b_stride),
                           Describe(s.rows, s.columns, dnnl::memory::data_type::f32, Layout::kAsIs, 0)),
        attributes, Engine());
    Prepared& p = *prepared_;
    p.multiply = dnnl::matmul(how);
    p.a = dnnl::memory(how.src_desc(), Engine(), nullptr);
    p.b = dnnl::memory(how.weights_desc(), Engine(), nullptr);
    p.c = dnnl::memory(how.dst_desc(), Engine(), nullptr);
    p.scratch = dnnl::memory(how.scratchpad_desc(), Engine(), nullptr);
    p.scratch_bytes = how.scratchpad_desc().get_size();
    p.arguments = {{{DNNL_ARG_SRC, p.a.get()},
                    {DNNL_ARG_WEIGHTS, p.b.get()},
                    {DNNL_ARG_DST, p.c.get()},
                    {DNNL_ARG_SCRATCHPAD, p.scratch.get()}}};
  } catch (const dnnl::error&) {
    NIGHTSHIFT_CHECK(!"oneDNN has every fp32 product, and every bf16 one where HasBf16 says so");
  }
}

Product::Product(Product&&) noexcept = default;
Product& Product::operator=(Product&&) noexcept = default;
Product::~Product() = default;

/// By the C functions: those of C++ build a map of arguments each time.
void Product::Multiply(const void* a, const void* b, float* c) {
  BeAlone();
  Prepared& p = *prepared_;
  const auto put = [](dnnl::memory& memory, const void* at) {
    return dnnl_memory_set_data_handle_v2(memory.get(), const_cast<void*>(at), Stream().get()) == dnnl_success;
  };
  const bool done = put(p.a, a) && put(p.b, b) && put(p.c, c) && put(p.scratch, Scratch(p.scratch_bytes)) &&
                    dnnl_primitive_execute(p.multiply.get(), Stream().get(), static_cast<int>(p.arguments.size()),
                                           p.arguments.data()) == dnnl_success;
  NIGHTSHIFT_CHECK(done);
}

void Multiply(const AnyProduct& s, const float* a, const float* b, float* c) {
  BeAlone();
  const auto letter = [](Layout layout) { return layout == Layout::kAsIs ? 'N' : 'T'; };
  const bool done = dnnl_sgemm(letter(s.a), letter(s.b), s.rows, s.columns, s.inner, 1, a, s.a_stride, b, s.b_stride, 0,
                               c, s.c_stride) == dnnl_success;
  NIGHTSHIFT_CHECK(done);
}

}  // namespace nightshift::learner
