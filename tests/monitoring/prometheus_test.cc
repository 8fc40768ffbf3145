// SPDX-License-Identifier: Apache-2.0
// Debian's Prometheus, started for real, scrapes what nightshift-metrics serves and answers every panel.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <fstream>
#include <functional>
#include <map>
#include <optional>
#include <thread>

#include "io/link/link.h"
#include "runtime/metrics_sender.h"
#include "runtime/metrics_service.h"
#include "tests/monitoring/everything.h"
#include "tests/monitoring/panels.h"

namespace nightshift::runtime {
namespace {

using Clock = std::chrono::steady_clock;
using nlohmann::json;
using testing::HasSubstr;

constexpr std::chrono::seconds kPatience{60};  // Far above what is needed (some 3 s), for a busy machine.
constexpr int kLookAgainMs = 50;

/// Looks until `there` says yes.
bool Until(const std::function<bool()>& there) {
  for (const auto end = Clock::now() + kPatience; Clock::now() < end; poll(nullptr, 0, kLookAgainMs))
    if (there()) return true;
  return false;
}

sockaddr_in Local(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

int FreePort() {
  const int probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  auto address = Local(0);
  socklen_t size = sizeof(address);
  EXPECT_EQ(bind(probe, reinterpret_cast<sockaddr*>(&address), size), 0);
  EXPECT_EQ(getsockname(probe, reinterpret_cast<sockaddr*>(&address), &size), 0);
  close(probe);
  return ntohs(address.sin_port);
}

/// The body of an answer with status 200; nothing otherwise.
std::optional<std::string> Get(int port, const std::string& path) {
  const int connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const auto address = Local(port);
  const timeval patience{.tv_sec = 5, .tv_usec = 0};
  setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  std::string answer;
  const std::string request = "GET " + path + " HTTP/1.0\r\nHost: localhost\r\n\r\n";
  if (connect(connection, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 &&
      send(connection, request.data(), request.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(request.size())) {
    std::array<char, 4096> chunk{};
    for (ssize_t got = 0; (got = recv(connection, chunk.data(), chunk.size(), 0)) > 0;)
      answer.append(chunk.data(), static_cast<std::size_t>(got));
  }
  close(connection);
  const auto body = answer.find("\r\n\r\n");
  if (body == std::string::npos || answer.substr(0, answer.find('\r')).find(" 200") == std::string::npos)
    return std::nullopt;
  return answer.substr(body + 4);
}

std::string Escaped(const std::string& text) {
  std::string escaped;
  for (const unsigned char c : text) {
    std::array<char, 4> code{};
    std::snprintf(code.data(), code.size(), "%%%02X", c);
    escaped += code.data();
  }
  return escaped;
}

/// nightshift-metrics and a Prometheus that scrapes it, in a directory of their own.
class Observed : public testing::Test {
 protected:
  Observed() {
    std::string pattern = (std::filesystem::temp_directory_path() / "nightshift-metrics-XXXXXX").string();
    directory_ = mkdtemp(pattern.data());
    endpoints_ = io::EndpointsIn(directory_).value();
    options_ = {.endpoints = endpoints_,
                .listen = "127.0.0.1:" + std::to_string(metrics_port_),
                .expected = {"supervisor", "cell"},
                .version = "1.2.3"};
    service_ = std::thread([this] { served_ = ServeMetrics(options_, [this] { return end_.load(); }); });
  }

  ~Observed() override {
    if (prometheus_ > 0) {
      kill(prometheus_, SIGKILL);
      waitpid(prometheus_, nullptr, 0);
    }
    end_ = true;
    service_.join();
    EXPECT_TRUE(served_) << served_.error().detail;
    std::filesystem::remove_all(directory_);
  }

  void StartPrometheus() {
    std::ofstream(directory_ + "/prometheus.yml")
        << "global: {scrape_interval: 200ms, scrape_timeout: 200ms}\nscrape_configs:\n  - job_name: nightshift\n"
        << "    static_configs: [{targets: [\"" << options_.listen << "\"]}]\n";
    const std::string config = "--config.file=" + directory_ + "/prometheus.yml";
    const std::string storage = "--storage.tsdb.path=" + directory_ + "/tsdb";
    const std::string listen = "--web.listen-address=127.0.0.1:" + std::to_string(prometheus_port_);
    prometheus_ = fork();
    if (prometheus_ != 0) return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    execlp("prometheus", "prometheus", config.c_str(), storage.c_str(), listen.c_str(), "--log.level=error", nullptr);
    _exit(127);
  }

  /// The result of an instant query: an array, empty when nothing matches; nothing when it was refused.
  std::optional<json> Query(const std::string& expression) const {
    const auto body = Get(prometheus_port_, "/api/v1/query?query=" + Escaped(expression));
    if (!body) return std::nullopt;
    const auto answer = json::parse(*body);
    if (answer.at("status") != "success") return std::nullopt;
    return answer.at("data").at("result");
  }

  /// The value of the first series; nothing while there is none.
  std::optional<double> Value(const std::string& expression) const {
    const auto result = Query(expression);
    if (!result || result->empty()) return std::nullopt;
    return std::stod(result->at(0).at("value").at(1).get<std::string>());
  }

  std::string directory_;
  const int metrics_port_ = FreePort();
  const int prometheus_port_ = FreePort();
  io::Endpoints endpoints_;
  MetricsServiceOptions options_;
  std::atomic<bool> end_{false};
  core::Result<void> served_ = {};
  std::thread service_;
  pid_t prometheus_ = 0;
};

TEST_F(Observed, PrometheusAnswersEveryPanelFromTheFiguresOfAllProcesses) {
  const auto everything = monitoring::TouchEverything();
  const MetricsSender safety(endpoints_.metrics, {"safety", [&] { return everything.safety; }});
  const MetricsSender supervisor(endpoints_.metrics, {"supervisor", [&] { return everything.supervisor; }});
  const MetricsSender learner(endpoints_.metrics, {"learner", [&] { return everything.learner; }});
  StartPrometheus();
  ASSERT_TRUE(Until([&] { return Value("min(nightshift_up{process=~\"safety|supervisor|learner\"})") == 1; }));
  EXPECT_EQ(Value("nightshift_up{process=\"cell\"}"), 0) << "expected, and never heard of";
  for (const auto& dashboard : monitoring::Dashboards()) {
    for (const auto& panel : monitoring::PanelsOf(dashboard)) {
      for (const auto& expression : monitoring::ExpressionsOf(panel)) {
        const auto concrete = monitoring::Concrete(expression);
        EXPECT_TRUE(Until([&] {
          const auto result = Query(concrete);
          return result && !result->empty();
        })) << panel.at("title")
            << " has no answer: " << concrete;
      }
    }
  }
}

TEST_F(Observed, TheEndpointAnswersWhileEveryOtherProcessIsDead) {
  ASSERT_TRUE(Until([&] { return Get(metrics_port_, "/metrics").has_value(); }));
  const auto text = Get(metrics_port_, "/metrics");
  EXPECT_THAT(*text, HasSubstr("nightshift_up{process=\"supervisor\"} 0"));
  EXPECT_THAT(*text, HasSubstr("nightshift_up{process=\"cell\"} 0"));
}

TEST_F(Observed, PromtoolFindsNothingToSayAboutTheLiveEndpoint) {
  const MetricsSender supervisor(endpoints_.metrics,
                                 {"supervisor", [] { return monitoring::TouchEverything().supervisor; }});
  std::optional<std::string> text;
  ASSERT_TRUE(Until([&] {
    text = Get(metrics_port_, "/metrics");
    return text && text->find("nightshift_up{process=\"supervisor\"} 1") != std::string::npos;
  }));
  std::ofstream(directory_ + "/live.txt") << *text;
  const auto checked = monitoring::RunProgram("promtool check metrics < " + directory_ + "/live.txt");
  EXPECT_EQ(checked.exit_code, 0) << checked.output;
  EXPECT_EQ(checked.output, "");
}

TEST_F(Observed, AProcessThatDiesIsReportedAsDown) {
  const auto says = [&](const std::string& line) {
    const auto text = Get(metrics_port_, "/metrics");
    return text && text->find(line) != std::string::npos;
  };
  {
    const MetricsSender supervisor(endpoints_.metrics,
                                   {"supervisor", [] { return monitoring::TouchEverything().supervisor; }});
    ASSERT_TRUE(Until([&] { return says("nightshift_up{process=\"supervisor\"} 1"); }));
  }
  EXPECT_TRUE(Until([&] { return says("nightshift_up{process=\"supervisor\"} 0"); }));
}

TEST_F(Observed, ReportsThatAreNoneAreCountedAndDoNoHarm) {
  auto requester = io::Requester::Connect(endpoints_.metrics);
  ASSERT_TRUE(requester);
  ASSERT_TRUE(Until([&] { return requester->Call("\xff\xff not a message", io::Wait(500)).has_value(); }));
  EXPECT_TRUE(Until([&] {
    const auto text = Get(metrics_port_, "/metrics");
    return text && text->find("nightshift_malformed_messages_total{process=\"metrics\"} 1") != std::string::npos;
  }));
}

}  // namespace
}  // namespace nightshift::runtime
