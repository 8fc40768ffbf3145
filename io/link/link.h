// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/fault.h"

/// Messages between processes over ZeroMQ. Bodies are opaque bytes here (io/wire gives them meaning). All sockets have
/// high-water mark 1 or CONFLATE, linger 0 and IMMEDIATE, so that nothing stale is ever delivered after a peer returns.
namespace nightshift::io {

using Wait = std::chrono::milliseconds;

inline constexpr std::size_t kMessageBytesMax = 4u << 20;  // Larger ones are dropped and counted.
inline constexpr Wait kSendWaitMax{1000};                  // For a peer to be there at all.

/// Where each process listens, below one run directory (ipc paths are limited to 107 bytes by the kernel).
struct Endpoints {
  std::string cell_bus, cell_camera, cell_control;
  std::string safety_command, safety_state;
  std::string supervisor_control, supervisor_state;
  std::string learner_state;
  std::string metrics;
};

/// Faults: kInvalidConfig when the paths would be too long, with the length allowed.
core::Result<Endpoints> EndpointsIn(const std::string& run_directory);

/// Asks and waits (DEALER). Each request carries an id; late answers to earlier requests are dropped.
/// Thread: one at a time.
class Requester {
 public:
  static core::Result<Requester> Connect(const std::string& endpoint);
  Requester(Requester&&) noexcept;
  Requester& operator=(Requester&&) noexcept;
  ~Requester();

  /// Faults: kPeerTimeout, naming the endpoint.
  core::Result<std::string> Call(std::string_view body, Wait wait);

  /// The two halves of Call, for a caller that has something to do in between.
  core::Result<std::uint64_t> Send(std::string_view body, Wait wait = kSendWaitMax);
  core::Result<std::string> Receive(std::uint64_t id, Wait wait);

 private:
  struct Socket;
  explicit Requester(std::unique_ptr<Socket> socket);
  std::unique_ptr<Socket> socket_;
};

/// Answers (ROUTER). Thread: one at a time.
class Replier {
 public:
  struct Request {
    std::string peer;
    std::uint64_t id = 0;
    std::string body;
  };

  /// Binds; the socket file gets mode 0660. Faults: kAlreadyRunning, kIoFailed.
  static core::Result<Replier> Bind(const std::string& endpoint);
  Replier(Replier&&) noexcept;
  Replier& operator=(Replier&&) noexcept;
  ~Replier();

  /// The next well-formed request, or nothing within `wait`. Malformed and oversized ones are counted and dropped.
  std::optional<Request> Receive(Wait wait);
  /// Drops the reply (and counts it) when the peer is gone, or does not take the one before within 20 ms.
  void Reply(const Request& request, std::string_view body);

  std::uint64_t malformed() const;
  std::uint64_t undelivered() const;  // Replies to peers that were gone.
  /// File descriptor that becomes readable when something may have arrived (edge-triggered: Receive until
  /// nothing comes after the last Reply, then wait at it).
  int descriptor() const;

 private:
  struct Socket;
  explicit Replier(std::unique_ptr<Socket> socket);
  std::unique_ptr<Socket> socket_;
};

/// Tells everyone the newest (PUB). What is told just as a subscriber looks may reach it only with the next message
/// (libzmq's conflating buffer does not wait for its reader), so state is told periodically. Thread: one at a time.
class Publisher {
 public:
  static core::Result<Publisher> Bind(const std::string& endpoint);
  Publisher(Publisher&&) noexcept;
  Publisher& operator=(Publisher&&) noexcept;
  ~Publisher();
  void Publish(std::string_view body);

 private:
  struct Socket;
  explicit Publisher(std::unique_ptr<Socket> socket);
  std::unique_ptr<Socket> socket_;
};

/// Hears the newest (SUB, CONFLATE set before connecting); in silence it asks again. Thread: one at a time.
class Subscriber {
 public:
  static core::Result<Subscriber> Connect(const std::string& endpoint);
  Subscriber(Subscriber&&) noexcept;
  Subscriber& operator=(Subscriber&&) noexcept;
  ~Subscriber();
  std::optional<std::string> Latest(Wait wait);

 private:
  struct Socket;
  explicit Subscriber(std::unique_ptr<Socket> socket);
  std::unique_ptr<Socket> socket_;
};

}  // namespace nightshift::io
