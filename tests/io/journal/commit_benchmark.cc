// SPDX-License-Identifier: Apache-2.0
// How long the journal's calls take: io_journal_benchmark DIRECTORY [EPISODES]. docs/journal.md quotes it.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "io/journal/reader.h"
#include "io/journal/sqlite_journal.h"
#include "tests/io/journal/journal_fixture.h"

namespace {

using namespace nightshift;

constexpr int kSteps = 60;

class Times {
 public:
  template <typename Call>
  void Measure(Call call) {
    const auto began = std::chrono::steady_clock::now();
    if (const auto done = call(); !done) {
      std::fprintf(stderr, "%s\n", done.error().detail.c_str());
      std::exit(1);
    }
    ms_.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - began).count());
  }
  void Print(const char* what) {
    std::sort(ms_.begin(), ms_.end());
    std::printf("%-8s p50 %.3f ms, p99 %.3f ms, max %.3f ms\n", what, ms_[ms_.size() / 2], ms_[ms_.size() * 99 / 100],
                ms_.back());
  }

 private:
  std::vector<double> ms_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  const int episodes = argc > 2 ? std::atoi(argv[2]) : 1000;
  auto journal = io::SqliteJournal::Open(argv[1]);
  if (!journal) return std::fprintf(stderr, "%s\n", journal.error().detail.c_str()), 1;
  Times begin, append, close, read;
  for (int i = 0; i < episodes; ++i) {
    core::Episode episode;
    episode.id = (*journal)->NextEpisodeId();
    episode.task = "pick";
    begin.Measure([&] { return (*journal)->Begin(episode); });
    for (int step = 0; step < kSteps; ++step)
      append.Measure([&] { return (*journal)->Append(episode.id, step, io::StepNumber(step)); });
    episode.outcome = core::Outcome::kSuccess;
    close.Measure([&] { return (*journal)->Close(episode); });
  }
  begin.Print("begin");
  append.Print("append");
  close.Print("close");
  io::JournalReader reader(argv[1]);
  read.Measure([&] { return reader.ClosedAfter(0, episodes); });
  read.Print("read all");
  std::printf("%d episodes of %d steps, %.1f bytes a step\n", episodes, kSteps,
              static_cast<double>((*journal)->stats().bytes) / (episodes * kSteps));
  return 0;
}
