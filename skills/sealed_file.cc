// SPDX-License-Identifier: Apache-2.0
#include "skills/sealed_file.h"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace nightshift::skills {

namespace {

using core::Fail;
using core::FaultCode;

/// Closes what it holds.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

tl::unexpected<core::Fault> FailSystem(const char* what, const std::string& path, int error) {
  const FaultCode code = error == ENOSPC || error == EDQUOT ? FaultCode::kDiskFull : FaultCode::kIoFailed;
  return Fail(code, path + ": cannot " + what + ": " + std::strerror(error) +
                        (code == FaultCode::kDiskFull ? "; free space on this file system" : ""));
}

core::Result<void> WriteAll(int fd, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return FailSystem("write", path, errno);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

core::Result<void> WriteTemporary(const std::string& path, std::string_view content) {
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640));
  if (file.get() < 0) return FailSystem("create", path, errno);
  if (auto done = WriteAll(file.get(), content, path); !done) return done;
  if (auto done = WriteAll(file.get(), Sha256(content), path); !done) return done;
  if (::fsync(file.get()) != 0) return FailSystem("sync", path, errno);
  return {};
}

core::Result<void> SyncDirectory(const std::string& path) {
  const std::string parent = std::filesystem::path(path).parent_path().string();
  const std::string folder = parent.empty() ? "." : parent;
  const Descriptor directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() < 0 || ::fsync(directory.get()) != 0) return FailSystem("sync the folder", folder, errno);
  return {};
}

core::Result<std::string> ReadAll(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0 && errno == ENOENT) return Fail(FaultCode::kMissingFile, path + ": is not there");
  if (file.get() < 0) return FailSystem("open", path, errno);
  struct stat about {};
  if (::fstat(file.get(), &about) != 0) return FailSystem("inspect", path, errno);
  const auto size = static_cast<std::size_t>(about.st_size);
  if (size > kSealedFileBytesMax)
    return Fail(FaultCode::kIoFailed, path + ": " + std::to_string(size) + " bytes; at most " +
                                          std::to_string(kSealedFileBytesMax) + " are read");
  std::string bytes(size, '\0');
  std::size_t have = 0;
  while (have < size) {
    const ssize_t got = ::read(file.get(), bytes.data() + have, size - have);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return FailSystem("read", path, errno);
    if (got == 0) break;
    have += static_cast<std::size_t>(got);
  }
  bytes.resize(have);
  return bytes;
}

}  // namespace

std::string Sha256(std::string_view bytes) {
  std::string digest(kSealBytes, '\0');
  static_assert(kSealBytes == crypto_hash_sha256_BYTES);
  crypto_hash_sha256(reinterpret_cast<unsigned char*>(digest.data()),
                     reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  return digest;
}

std::string Hex(std::string_view bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    text += kDigits[static_cast<unsigned char>(c) >> 4];
    text += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return text;
}

core::Result<void> WriteSealed(const std::string& path, std::string_view content) {
  if (content.size() > kSealedFileBytesMax - kSealBytes)  // Nobody could read it back.
    return Fail(FaultCode::kIoFailed, path + ": " + std::to_string(content.size()) + " bytes; at most " +
                                          std::to_string(kSealedFileBytesMax - kSealBytes) +
                                          " are written, what was there is left; ask for smaller or fewer networks");
  const std::string temporary = path + ".tmp";
  if (auto done = WriteTemporary(temporary, content); !done) {
    ::unlink(temporary.c_str());
    return done;
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) return FailSystem("rename into place", path, errno);
  return SyncDirectory(path);
}

core::Result<std::string> ReadSealed(const std::string& path, core::FaultCode damaged) {
  auto bytes = ReadAll(path);
  if (!bytes) return bytes;
  if (bytes->size() < kSealBytes)
    return Fail(damaged, path + ": " + std::to_string(bytes->size()) + " bytes, too short for a checksum");
  const std::size_t size = bytes->size() - kSealBytes;
  if (Sha256(std::string_view(*bytes).substr(0, size)) != std::string_view(*bytes).substr(size))
    return Fail(damaged, path + ": the SHA-256 checksum does not fit its content; the file is damaged or cut short");
  bytes->resize(size);
  return bytes;
}

}  // namespace nightshift::skills
