// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

#include "core/catalogue.h"
#include "core/fault.h"
#include "io/camera/config.h"
#include "io/robot/cell/cell_config.h"
#include "learner/config.h"
#include "runtime/practice_config.h"
#include "safety/config.h"
#include "skills/scene.h"

namespace nightshift::runtime {

/// Which RobotDriver and Camera are used.
enum class RobotKind { kCell };

/// Where figures are served.
struct MetricsConfig {
  std::string listen = "127.0.0.1:9465";  // Address and port of the Prometheus endpoint; this machine only.
};

/// What the safety process's control thread asks of the machine.
struct RealTimeConfig {
  int cpu =
      -1;  // The processor that it stays on; -1: any. One that isolcpus= keeps free of others is what this is for.
};

/// One configuration file, read and judged. Every key is listed in runtime/config_keys.cc.
struct Config {
  std::string file;  // Absolute path of where it came from.
  RobotKind robot = RobotKind::kCell;
  io::cell::CellConfig cell;
  io::PerceptionConfig perception;
  skills::Scene scene;
  safety::Limits safety;
  RealTimeConfig real_time;
  learner::Config learner;
  PracticeConfig practice;
  MetricsConfig metrics;
  std::vector<core::TaskSpec> tasks;
};

/// Reads and judges a file: every key, every limit, every condition of every task; files that it names must exist, and
/// their paths, relative to the file's own folder, become absolute.
/// Faults: kMissingFile; kInvalidConfig with file, line, key, value, and the allowed range or the nearest known key.
core::Result<Config> LoadConfig(const std::string& file);

/// The same from text; `name` stands in for the file in faults, `folder` is where relative paths begin.
core::Result<Config> ParseConfig(const std::string& text, const std::string& name, const std::string& folder);

}  // namespace nightshift::runtime
