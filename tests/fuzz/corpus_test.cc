// SPDX-License-Identifier: Apache-2.0
// The corpus of the fuzzer, as a specification: whatever bytes peers send, no promise breaks. Built by any compiler.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "tests/fuzz/safety_session.h"

namespace nightshift::fuzz {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kFileBytesMax = 4096;

std::vector<fs::path> Corpus() {
  const fs::directory_iterator files(fs::path(NIGHTSHIFT_SOURCE_DIR) / "tests/fuzz/corpus");
  std::vector<fs::path> corpus;
  for (const auto& file : files) corpus.push_back(file.path());
  std::sort(corpus.begin(), corpus.end());
  return corpus;
}

std::vector<std::uint8_t> BytesOf(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

TEST(SafetySession, BreaksNoPromiseWhateverBytesItIs) {
  SessionFacts all;
  for (const fs::path& path : Corpus()) {
    ASSERT_LE(fs::file_size(path), kFileBytesMax) << path;
    const SessionFacts facts = PlaySession(BytesOf(path));
    EXPECT_EQ(facts.tally.violations(), 0) << path << " " << facts.tally.Text();
    all.malformed += facts.malformed;
    all.refused += facts.refused;
    all.stops += facts.stops;
    all.clears += facts.clears;
    all.travelled_rad += facts.travelled_rad;
  }
  EXPECT_GT(all.malformed, 10) << "a corpus that never says anything wrong";
  EXPECT_GT(all.refused, 10) << "or nothing that is refused";
  EXPECT_GT(all.stops, 10) << "or that never stops the arm";
  EXPECT_GT(all.clears, 10) << "or never clears a stop";
  EXPECT_GT(all.travelled_rad, 10) << "or never moves it, proves nothing";
}

TEST(SafetySession, BreaksNoPromiseWhereItIsCutShort) {
  for (const fs::path& path : Corpus()) {
    const auto bytes = BytesOf(path);
    for (const std::size_t length : {bytes.size() / 3, bytes.size() / 2, bytes.size() * 3 / 4}) {
      const SessionFacts facts = PlaySession(std::span(bytes).first(length));
      EXPECT_EQ(facts.tally.violations(), 0) << path << " first " << length << " bytes: " << facts.tally.Text();
    }
  }
}

TEST(SafetySession, IsTheSameEachTimeItIsPlayed) {
  for (const fs::path& path : Corpus()) {
    const auto bytes = BytesOf(path);
    const SessionFacts first = PlaySession(bytes), second = PlaySession(bytes);
    EXPECT_EQ(first.travelled_rad, second.travelled_rad) << path;
    EXPECT_EQ(first.refused, second.refused) << path;
  }
}

}  // namespace
}  // namespace nightshift::fuzz
