// SPDX-License-Identifier: Apache-2.0
#include "io/robot/cell/cell_state_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace nightshift::io::cell {
namespace {

tl::unexpected<core::Fault> FileFault(const char* what, const std::string& path, int error) {
  const bool full = error == ENOSPC || error == EDQUOT;
  return core::Fail(full ? core::FaultCode::kDiskFull : core::FaultCode::kIoFailed,
                    std::string("cell: cannot ") + what + " " + path + ": " + std::strerror(error) +
                        (full ? "; free some space" : "; check the data directory and its owner"));
}

}  // namespace

core::Result<void> ReplaceFile(const std::string& path, const std::string& bytes) {
  const std::string fresh = path + ".new";
  const int file = open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
  if (file < 0) return FileFault("create", fresh, errno);
  const ssize_t written = write(file, bytes.data(), bytes.size());
  const int error = written < 0 ? errno : written == static_cast<ssize_t>(bytes.size()) ? 0 : ENOSPC;
  close(file);
  if (error != 0) return FileFault("write", fresh, error);
  if (rename(fresh.c_str(), path.c_str()) != 0) return FileFault("replace", path, errno);
  return {};
}

core::Result<std::optional<std::string>> ReadFile(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0 && errno == ENOENT) return std::optional<std::string>();
  if (file < 0) return FileFault("read", path, errno);
  std::string bytes;
  char buffer[4096];
  ssize_t count = 0;
  while ((count = read(file, buffer, sizeof buffer)) > 0) bytes.append(buffer, static_cast<std::size_t>(count));
  const int error = count < 0 ? errno : 0;
  close(file);
  if (error != 0) return FileFault("read", path, error);
  return std::optional<std::string>(std::move(bytes));
}

}  // namespace nightshift::io::cell
