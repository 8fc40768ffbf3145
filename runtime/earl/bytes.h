// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace nightshift::runtime::earl {

/// A state as bytes, in the machine's own order: it goes back to the machine that wrote it, under a seal.
class Writer {
 public:
  template <typename T>
  void Put(const T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof(T));
  }
  template <typename T>
  void Put(const std::vector<T>& values) {
    static_assert(std::is_trivially_copyable_v<T>);
    Put(static_cast<std::uint64_t>(values.size()));
    if (!values.empty()) bytes_.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
  }
  void Put(const std::string& text) { Put(std::vector<char>(text.begin(), text.end())); }

  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

/// Takes out what a Writer put in, in the same order. After the first thing that is not all there nothing more is
/// taken, and good() says so.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  template <typename T>
  void Take(T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    if (!Has(sizeof(T))) return;
    std::memcpy(&value, rest_.data(), sizeof(T));
    rest_.remove_prefix(sizeof(T));
  }
  template <typename T>
  void Take(std::vector<T>& values) {
    std::uint64_t count = 0;
    Take(count);
    if (!good_ || count > rest_.size() / sizeof(T)) {
      good_ = false;
      return;
    }
    values.resize(count);
    if (count > 0) std::memcpy(values.data(), rest_.data(), count * sizeof(T));
    rest_.remove_prefix(count * sizeof(T));
  }
  void Take(std::string& text) {
    std::vector<char> characters;
    Take(characters);
    text.assign(characters.begin(), characters.end());
  }

  bool good() const { return good_; }
  bool done() const { return good_ && rest_.empty(); }

 private:
  bool Has(std::size_t count) {
    if (count > rest_.size()) good_ = false;
    return good_;
  }

  std::string_view rest_;
  bool good_ = true;
};

}  // namespace nightshift::runtime::earl
