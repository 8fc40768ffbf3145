// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <atomic>
#include <thread>
#include <vector>

namespace nightshift::learner {

/// Threads that share the jobs of an update. How work is cut into jobs must not depend on how many threads there are:
/// then the results do not either, to the last bit. Between the jobs of one update its threads wait for each other
/// spinning, for at most 100 us; after that they sleep, so that nothing spins while the learner waits for experience.
/// Thread: Run is called by one thread at a time, which works too; jobs of one Run happen at the same time.
class Crew {
 public:
  /// @param threads at least 1, the caller of Run included.
  explicit Crew(int threads);
  ~Crew();
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  int threads() const { return static_cast<int>(helpers_.size()) + 1; }

  /// Calls job(0) to job(jobs - 1), each once, and returns when all have returned. Does not allocate.
  template <typename Job>
  void Run(int jobs, const Job& job) {
    RunAll({[](const void* context, int index) { (*static_cast<const Job*>(context))(index); }, &job, jobs});
  }

 private:
  struct Work {
    void (*call)(const void*, int) = nullptr;
    const void* context = nullptr;
    int jobs = 0;
  };
  void RunAll(const Work& work);
  void Share(int first) const;
  void Help(int index);

  std::vector<std::thread> helpers_;
  Work work_;                       // Written before round_ is raised, read after.
  std::atomic<unsigned> round_{0};  // Of work; the last bit of it is given by the destructor.
  std::atomic<unsigned> busy_{0};   // Helpers not yet done with this round.
  std::atomic<bool> dismissed_{false};
};

}  // namespace nightshift::learner
