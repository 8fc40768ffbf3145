// SPDX-License-Identifier: Apache-2.0
#include "tests/runtime/tick_guard.h"

#include <dlfcn.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <vector>

// Sanitizers have their own malloc and locks, and make system calls in the middle of anything.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define NIGHTSHIFT_SANITIZED 1
#else
#define NIGHTSHIFT_SANITIZED 0
#endif

namespace nightshift::tests {
namespace {

thread_local Misdeeds* t_watched = nullptr;  // Of a thread that a TickGuard watches.
Misdeeds* g_forbidden = nullptr;             // Of the process in which system calls are.

}  // namespace

void Allocates() {
  if (t_watched != nullptr) ++t_watched->allocations;
}
void Locks() {
  if (t_watched != nullptr) ++t_watched->locks;
}

TickGuard::TickGuard(Misdeeds& misdeeds) { t_watched = &misdeeds; }
TickGuard::~TickGuard() { t_watched = nullptr; }

namespace {

void OnForbidden(int, siginfo_t* info, void* context) {
  Misdeeds& misdeeds = *g_forbidden;
  if (misdeeds.system_calls < Misdeeds::kNamed)
    misdeeds.numbers[static_cast<std::size_t>(misdeeds.system_calls)] = info->si_syscall;
  ++misdeeds.system_calls;
  auto& registers = static_cast<ucontext_t*>(context)->uc_mcontext;
#if defined(__x86_64__)
  registers.gregs[REG_RAX] = -ENOSYS;
#elif defined(__aarch64__)
  registers.regs[0] = static_cast<unsigned long long>(-ENOSYS);
#endif
}

constexpr unsigned kNumber = offsetof(seccomp_data, nr);
constexpr unsigned Argument(unsigned i) { return offsetof(seccomp_data, args) + 8 * i; }

sock_filter Load(unsigned offset) { return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset); }
sock_filter Return(unsigned what) { return BPF_STMT(BPF_RET | BPF_K, what); }
/// Goes on with the next instruction if it is `value`, else over it.
sock_filter IfIs(int value) { return BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(value), 0, 1); }

std::vector<sock_filter> Program(std::span<const int> allowed, std::span<const int> bells) {
  std::vector<sock_filter> program{Load(kNumber)};
  const auto allow = [&program](int value) {
    program.push_back(IfIs(value));
    program.push_back(Return(SECCOMP_RET_ALLOW));
  };
  for (const int number : {SYS_exit_group, SYS_rt_sigreturn}) allow(number);
  for (const int number : allowed) allow(number);
  const auto refuse_unless = [&program](int value) {
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(value), 1, 0));
    program.push_back(Return(SECCOMP_RET_TRAP));
  };
  refuse_unless(SYS_write);
  program.push_back(Load(Argument(2)));
  refuse_unless(sizeof(std::uint64_t));
  program.push_back(Load(Argument(0)));
  for (const int descriptor : bells) allow(descriptor);
  program.push_back(Return(SECCOMP_RET_TRAP));
  return program;
}

}  // namespace

bool ForbidSystemCalls(Misdeeds& misdeeds, std::span<const int> allowed, std::span<const int> bells) {
  if (NIGHTSHIFT_SANITIZED) return true;
  g_forbidden = &misdeeds;
  struct sigaction action {};
  action.sa_sigaction = OnForbidden;
  action.sa_flags = SA_SIGINFO;
  if (sigaction(SIGSYS, &action, nullptr) != 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return false;
  std::vector<sock_filter> program = Program(allowed, bells);
  const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  const bool set = prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) == 0;
  return set;
}

std::optional<ChildResults> InChild(const std::function<void(ChildResults&)>& work) {
  void* shared = mmap(nullptr, sizeof(ChildResults), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) return std::nullopt;
  auto* results = new (shared) ChildResults;
  const pid_t child = fork();
  if (child == 0) {
    work(*results);
    results->done = true;
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  const ChildResults seen = *results;
  munmap(shared, sizeof(ChildResults));
  return seen.done && WIFEXITED(status) ? std::optional(seen) : std::nullopt;
}

}  // namespace nightshift::tests

#if NIGHTSHIFT_SANITIZED
void* operator new(std::size_t size) {
  nightshift::tests::Allocates();
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
#else
// In the place of the C library's own: whoever allocates or locks in this program comes by here.
extern "C" {
void* __libc_malloc(std::size_t) noexcept;
void* __libc_calloc(std::size_t, std::size_t) noexcept;
void* __libc_realloc(void*, std::size_t) noexcept;
void __libc_free(void*) noexcept;

void* malloc(std::size_t size) noexcept {
  nightshift::tests::Allocates();
  return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) noexcept {
  nightshift::tests::Allocates();
  return __libc_calloc(count, size);
}
void* realloc(void* memory, std::size_t size) noexcept {
  nightshift::tests::Allocates();
  return __libc_realloc(memory, size);
}
void free(void* memory) noexcept {
  if (memory != nullptr) nightshift::tests::Allocates();
  __libc_free(memory);
}

#define NIGHTSHIFT_COUNTED(name, type)                                                  \
  int name(type* lock) noexcept {                                                       \
    static const auto real = reinterpret_cast<int (*)(type*)>(dlsym(RTLD_NEXT, #name)); \
    nightshift::tests::Locks();                                                         \
    return real(lock);                                                                  \
  }
NIGHTSHIFT_COUNTED(pthread_mutex_lock, pthread_mutex_t)
NIGHTSHIFT_COUNTED(pthread_mutex_trylock, pthread_mutex_t)
NIGHTSHIFT_COUNTED(pthread_rwlock_rdlock, pthread_rwlock_t)
NIGHTSHIFT_COUNTED(pthread_rwlock_wrlock, pthread_rwlock_t)
}
#endif
