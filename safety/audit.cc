// SPDX-License-Identifier: Apache-2.0
#include "safety/audit.h"

#include <fcntl.h>
#include <sodium.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <boost/lockfree/spsc_queue.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <vector>

namespace nightshift::safety {
namespace {

namespace fs = std::filesystem;
using core::Fail;
using core::FaultCode;
using core::Result;

constexpr std::size_t kQueueRecords = 8192;  // Half a minute of a disk that is stuck, if every tick is another record.
constexpr std::size_t kLineBytesMax = 640;
constexpr std::size_t kHashBytes = 16;
constexpr std::string_view kPrefix = "audit-", kSuffix = ".jsonl";
constexpr std::string_view kChainKey = ",\"chain\":\"";

using Chain = std::array<char, 2 * kHashBytes>;  // Hexadecimal.

Chain FirstChain() {
  Chain chain;
  chain.fill('0');
  return chain;
}

/// Hash over the chain so far and a line's content.
Chain Extend(const Chain& before, std::string_view content) {
  std::array<unsigned char, kHashBytes> hash;
  crypto_generichash_state state;
  crypto_generichash_init(&state, nullptr, 0, hash.size());
  crypto_generichash_update(&state, reinterpret_cast<const unsigned char*>(before.data()), before.size());
  crypto_generichash_update(&state, reinterpret_cast<const unsigned char*>(content.data()), content.size());
  crypto_generichash_final(&state, hash.data(), hash.size());
  std::array<char, 2 * kHashBytes + 1> text;
  sodium_bin2hex(text.data(), text.size(), hash.data(), hash.size());
  Chain chain;
  std::copy_n(text.begin(), chain.size(), chain.begin());
  return chain;
}

struct Line {
  std::string_view content;  // Up to the chain's key.
  std::string_view chain;
};

/// A complete line's two parts; nothing if it is not one of ours.
std::optional<Line> Split(std::string_view line) {
  const auto at = line.rfind(kChainKey);
  if (at == std::string_view::npos || line.size() != at + kChainKey.size() + 2 * kHashBytes + 2) return std::nullopt;
  if (!line.ends_with("\"}")) return std::nullopt;
  return Line{line.substr(0, at), line.substr(at + kChainKey.size(), 2 * kHashBytes)};
}

std::string Format(const AuditRecord& r, std::int64_t utc_ns, std::uint64_t dropped) {
  std::array<char, kLineBytesMax> text;
  const int size = std::snprintf(
      text.data(), text.size(),
      R"({"utc_ns":%lld,"robot_ns":%lld,"verdict":"%s","limit":"%s","axis":%d,"wanted":%.9g,"allowed":%.9g,)"
      R"("margin":%.9g,"ticks":%llu,"sequence":%llu,"input":"%016llx","epoch":%llu,"latch":%llu,)"
      R"("first":"%s","worst":"%s","dropped":%llu)",
      static_cast<long long>(utc_ns), static_cast<long long>(core::ToNanoseconds(r.at)), core::Name(r.verdict).data(),
      core::Name(r.limit).data(), r.axis, r.wanted, r.allowed, r.margin(), static_cast<unsigned long long>(r.ticks),
      static_cast<unsigned long long>(r.sequence), static_cast<unsigned long long>(r.input_hash),
      static_cast<unsigned long long>(r.latch.epoch), static_cast<unsigned long long>(r.latch.id),
      core::Name(r.latch.first).data(), core::Name(r.latch.worst).data(), static_cast<unsigned long long>(dropped));
  return std::string(text.data(), std::min(static_cast<std::size_t>(size), text.size() - 1));
}

std::vector<fs::path> FilesIn(const std::string& folder) {
  std::vector<fs::path> files;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(kPrefix) && name.ends_with(kSuffix)) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

tl::unexpected<core::Fault> IoFault(const std::string& what, const std::string& where) {
  const FaultCode code = errno == ENOSPC || errno == EDQUOT ? FaultCode::kDiskFull : FaultCode::kIoFailed;
  return Fail(code, "audit: cannot " + what + " " + where + ": " + std::strerror(errno) +
                        "; free space or check permissions, records are kept for a later try");
}

Result<std::string> ReadAll(const fs::path& file) {
  try {
    errno = 0;
    std::ifstream in(file, std::ios::binary);
    if (in) return std::string(std::istreambuf_iterator<char>(in), {});
  } catch (const std::ios_base::failure&) {  // A stream that cannot be read throws from its buffer.
  }
  return IoFault("read", file.string());
}

std::string FileName(std::uint64_t number) {
  std::array<char, 32> text;
  std::snprintf(text.data(), text.size(), "audit-%06llu.jsonl", static_cast<unsigned long long>(number));
  return text.data();
}

}  // namespace

struct Audit::State {
  Options options;
  int lock = -1;
  int file = -1;
  std::uint64_t file_number = 0;
  std::size_t file_bytes = 0;
  Chain chain = FirstChain();
  std::string pending;  // Formatted, not yet on the disk.
  std::size_t pending_lines = 0;
  std::atomic<std::uint64_t> written{0};
  std::atomic<std::uint64_t> dropped{0};
  boost::lockfree::spsc_queue<AuditRecord, boost::lockfree::capacity<kQueueRecords>> queue;

  ~State() {
    if (file >= 0) close(file);
    if (lock >= 0) close(lock);
  }

  Result<void> TakeLock() {
    const std::string path = options.folder + "/lock";
    lock = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (lock < 0) return IoFault("create", path);
    if (flock(lock, LOCK_EX | LOCK_NB) == 0) return {};
    return Fail(FaultCode::kAlreadyRunning,
                "audit: " + options.folder + " belongs to a running nightshift-safety; stop it, or use another --data");
  }

  /// Goes on where the last whole line ended; what a crash tore is cut off.
  Result<void> Resume() {
    const auto files = FilesIn(options.folder);
    if (files.empty()) return OpenFile(1);
    const auto last = ReadAll(files.back());
    if (!last) return tl::make_unexpected(last.error());
    const auto whole = last->rfind('\n') == std::string::npos ? 0 : last->rfind('\n') + 1;
    if (whole != last->size()) {
      std::error_code failed;
      fs::resize_file(files.back(), whole, failed);
      if (failed) return Fail(FaultCode::kIoFailed, "audit: cannot cut the torn line off " + files.back().string());
    }
    const auto before = LastChain(files);
    if (!before) return tl::make_unexpected(before.error());
    chain = *before;
    const std::string number = files.back().stem().string().substr(kPrefix.size());
    return OpenFile(std::strtoull(number.c_str(), nullptr, 10));
  }

  /// What the next line follows from. Files end with whole lines.
  static Result<Chain> LastChain(const std::vector<fs::path>& files) {
    Chain chain = FirstChain();
    for (auto file = files.rbegin(); file != files.rend(); ++file) {
      const auto text = ReadAll(*file);
      if (!text) return tl::make_unexpected(text.error());
      if (text->empty()) continue;
      if (const auto last = Split(std::string_view(*text).substr(0, text->size() - 1)))
        std::copy(last->chain.begin(), last->chain.end(), chain.begin());
      return chain;
    }
    return chain;
  }

  Result<void> OpenFile(std::uint64_t number) {
    const std::string path = options.folder + "/" + FileName(number);
    const int opened = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    if (opened < 0) return IoFault("open", path);
    if (file >= 0) close(file);
    file = opened;
    file_number = number;
    file_bytes = static_cast<std::size_t>(std::max<off_t>(0, lseek(file, 0, SEEK_END)));
    auto files = FilesIn(options.folder);
    for (std::size_t i = 0; i + kFilesMax < files.size(); ++i) {
      std::error_code ignored;
      fs::remove(files[i], ignored);
    }
    return {};
  }

  void FormatQueued() {
    AuditRecord record;
    while (pending_lines < kQueueRecords && queue.pop(record)) {
      const std::string content = Format(record, options.utc_ns(), dropped.load(std::memory_order_relaxed));
      chain = Extend(chain, content);
      pending.append(content).append(kChainKey).append(chain.data(), chain.size()).append("\"}\n");
      ++pending_lines;
    }
  }
};

Audit::Audit(std::unique_ptr<State> state) : state_(std::move(state)) {}
Audit::Audit(Audit&&) noexcept = default;
Audit& Audit::operator=(Audit&&) noexcept = default;
Audit::~Audit() = default;

Result<Audit> Audit::Open(Options options) {
  if (sodium_init() < 0) return Fail(FaultCode::kIoFailed, "audit: libsodium cannot start; check its installation");
  auto state = std::make_unique<State>();
  state->options = std::move(options);
  std::error_code failed;
  fs::create_directories(state->options.folder, failed);
  if (failed)
    return Fail(FaultCode::kIoFailed, "audit: cannot create " + state->options.folder + ": " + failed.message());
  if (auto locked = state->TakeLock(); !locked) return tl::make_unexpected(locked.error());
  if (auto resumed = state->Resume(); !resumed) return tl::make_unexpected(resumed.error());
  return Audit(std::move(state));
}

void Audit::Push(const AuditRecord& record) noexcept {
  if (!state_->queue.push(record)) state_->dropped.fetch_add(1, std::memory_order_relaxed);
}

Result<void> Audit::Flush() {
  State& s = *state_;
  s.FormatQueued();
  if (s.pending.empty()) return {};
  if (s.file_bytes > s.options.file_bytes_max)
    if (auto opened = s.OpenFile(s.file_number + 1); !opened) return opened;
  const ssize_t size = write(s.file, s.pending.data(), s.pending.size());
  if (size != static_cast<ssize_t>(s.pending.size())) {
    if (size >= 0) errno = ENOSPC;  // A short write says nothing itself; the next would say this.
    auto fault = IoFault("append to", FileName(s.file_number));
    // A part may have arrived: take it back, so that the next try does not write it twice.
    if (ftruncate(s.file, static_cast<off_t>(s.file_bytes)) != 0) return IoFault("repair", FileName(s.file_number));
    return fault;
  }
  s.file_bytes += s.pending.size();
  s.written += s.pending_lines;
  s.pending.clear();
  s.pending_lines = 0;
  if (fdatasync(s.file) != 0) return IoFault("sync", FileName(s.file_number));
  return {};
}

std::uint64_t Audit::written() const { return state_->written; }
std::uint64_t Audit::dropped() const { return state_->dropped; }

Result<std::uint64_t> VerifyAudit(const std::string& folder) {
  std::uint64_t lines = 0;
  std::optional<Chain> chain;  // Unknown before the first file that is left, if older ones were deleted.
  for (const fs::path& file : FilesIn(folder)) {
    const auto text = ReadAll(file);
    if (!text) return tl::make_unexpected(text.error());
    std::size_t number = 0;
    for (std::size_t begin = 0; begin < text->size();) {
      const std::size_t end = std::min(text->find('\n', begin), text->size());
      const auto line = Split(std::string_view(*text).substr(begin, end - begin));
      ++number;
      if (!chain && file.filename() == FileName(1)) chain = FirstChain();
      const Chain expected = line && chain ? Extend(*chain, line->content) : Chain{};
      if (!line || (chain && !std::equal(expected.begin(), expected.end(), line->chain.begin())))
        return Fail(FaultCode::kCorruptState, "audit: " + file.string() + " line " + std::to_string(number) +
                                                  " does not follow from the lines before it; it was changed or lost");
      chain.emplace();
      std::copy(line->chain.begin(), line->chain.end(), chain->begin());
      begin = end + 1;
      ++lines;
    }
  }
  return lines;
}

}  // namespace nightshift::safety
