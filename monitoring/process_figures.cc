// SPDX-License-Identifier: Apache-2.0
#include "monitoring/process_figures.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

namespace nightshift::monitoring {
namespace {

double BootTimeUnixSeconds() {
  std::ifstream stat("/proc/stat");
  for (std::string line; std::getline(stat, line);)
    if (line.starts_with("btime ")) return std::stod(line.substr(6));
  return 0;
}

}  // namespace

std::optional<ProcessFigures> ReadProcessFigures() {
  std::ifstream file("/proc/self/stat");
  const std::string line{std::istreambuf_iterator<char>(file), {}};
  const auto name_end = line.rfind(')');  // The name may hold blanks and brackets of its own.
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream rest(line.substr(name_end + 1));
  const std::vector<std::string> fields{std::istream_iterator<std::string>(rest), {}};
  if (fields.size() < 22) return std::nullopt;
  // proc(5) numbers fields from 1 with the name as the second; fields[0] is its third.
  const auto field = [&](std::size_t number) { return std::stod(fields[number - 3]); };
  static const double kTicksPerSecond = static_cast<double>(sysconf(_SC_CLK_TCK));
  static const double kBootUnixSeconds = BootTimeUnixSeconds();
  ProcessFigures figures;
  figures.cpu_seconds = (field(14) + field(15)) / kTicksPerSecond;
  figures.threads = static_cast<std::int64_t>(field(20));
  figures.start_time_unix_seconds = kBootUnixSeconds + field(22) / kTicksPerSecond;
  figures.resident_bytes = static_cast<std::int64_t>(field(24)) * sysconf(_SC_PAGESIZE);
  std::error_code trouble;
  for (std::filesystem::directory_iterator open("/proc/self/fd", trouble), end; !trouble && open != end;
       open.increment(trouble))
    ++figures.open_descriptors;
  return figures;
}

}  // namespace nightshift::monitoring
