// SPDX-License-Identifier: Apache-2.0
#include "io/link/link.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <zmq.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "core/check.h"

namespace nightshift::io {
namespace {

using core::Fail;
using core::FaultCode;
using core::Result;
using SteadyClock = std::chrono::steady_clock;

constexpr int kHighWaterMark = 1;
constexpr int kReconnectMsMin = 10;   // A restarted peer is found again within a policy period...
constexpr int kReconnectMsMax = 200;  // ...and one that stays away costs nothing.
constexpr std::int64_t kDisconnectBytes = 4 * static_cast<std::int64_t>(kMessageBytesMax);  // Beyond this: hang up.
constexpr int kMalformedPerReceiveMax = 64;  // A babbling peer cannot hold the receiver in its loop for ever.
constexpr int kLateAnswersPerReceiveMax = 64;
constexpr Wait kReplyWaitMax{20};    // For a peer that has not yet taken the reply before.
constexpr Wait kAskAgainAfter{200};  // Of silence: a subscriber asks to be told once more.
constexpr std::string_view kIpc = "ipc://";

/// The context of all connecting sockets. Never destroyed: a destructor that waits for peers has no place in a
/// crash-only program.
void* SharedContext() {
  static void* const context = zmq_ctx_new();
  NIGHTSHIFT_CHECK(context != nullptr);
  return context;
}

enum class Side { kConnects, kBinds };

/// Owns one ZeroMQ socket and, where it is bound to a path, the lock that makes it the only one. A bound socket has a
/// context of its own: ending it is the only way to know that the path has been removed, before another takes it.
class Handle {
 public:
  Handle(int type, Side side)
      : own_context_(side == Side::kBinds ? zmq_ctx_new() : nullptr),
        socket_(zmq_socket(own_context_ != nullptr ? own_context_ : SharedContext(), type)) {
    Set(ZMQ_LINGER, 0);
    Set(ZMQ_IMMEDIATE, 1);
    Set(ZMQ_SNDHWM, kHighWaterMark);
    Set(ZMQ_RCVHWM, kHighWaterMark);
    Set(ZMQ_RECONNECT_IVL, kReconnectMsMin);
    Set(ZMQ_RECONNECT_IVL_MAX, kReconnectMsMax);
    if (socket_ != nullptr) zmq_setsockopt(socket_, ZMQ_MAXMSGSIZE, &kDisconnectBytes, sizeof kDisconnectBytes);
  }
  Handle(Handle&& other) noexcept
      : own_context_(std::exchange(other.own_context_, nullptr)),
        socket_(std::exchange(other.socket_, nullptr)),
        lock_(std::exchange(other.lock_, -1)) {}
  Handle& operator=(Handle&&) = delete;
  ~Handle() {
    if (socket_ != nullptr) zmq_close(socket_);
    if (own_context_ != nullptr)
      while (zmq_ctx_term(own_context_) != 0 && errno == EINTR) {}
    if (lock_ >= 0) close(lock_);
  }

  bool valid() const { return socket_ != nullptr; }
  void* get() const { return socket_; }

  void Set(int option, int value) {
    if (socket_ != nullptr) zmq_setsockopt(socket_, option, &value, sizeof value);
  }
  void KeepLock(int descriptor) { lock_ = descriptor; }

 private:
  void* own_context_;
  void* socket_;
  int lock_ = -1;
};

/// A received frame.
class Frame {
 public:
  Frame() { zmq_msg_init(&message_); }
  Frame(const Frame&) = delete;
  Frame& operator=(const Frame&) = delete;
  ~Frame() { zmq_msg_close(&message_); }

  bool Receive(void* socket, int flags) {
    int received = -1;
    do received = zmq_msg_recv(&message_, socket, flags);
    while (received < 0 && errno == EINTR);
    return received >= 0;
  }
  std::string_view bytes() { return {static_cast<const char*>(zmq_msg_data(&message_)), zmq_msg_size(&message_)}; }
  bool more() { return zmq_msg_more(&message_) != 0; }

 private:
  zmq_msg_t message_;
};

std::string SystemError(std::string_view what, const std::string& endpoint) {
  return std::string(what) + " " + endpoint + ": " + zmq_strerror(errno);
}

/// libzmq's bind takes the path away from a living owner without a word, so ownership is a file lock beside it.
Result<int> LockPath(const std::string& endpoint) {
  const std::string path = endpoint.substr(kIpc.size()) + ".lock";
  const int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0660);
  if (descriptor < 0)
    return Fail(FaultCode::kIoFailed, SystemError("cannot create", path) + "; create the run directory first");
  if (flock(descriptor, LOCK_EX | LOCK_NB) == 0) return descriptor;
  close(descriptor);
  return Fail(FaultCode::kAlreadyRunning,
              endpoint + " belongs to a running process; stop it, or use another data directory");
}

Result<Handle> BindSocket(int type, const std::string& endpoint) {
  Handle socket(type, Side::kBinds);
  if (!socket.valid()) return Fail(FaultCode::kIoFailed, SystemError("cannot open a socket for", endpoint));
  if (type == ZMQ_ROUTER) socket.Set(ZMQ_ROUTER_MANDATORY, 1);
  if (type == ZMQ_PUB) socket.Set(ZMQ_CONFLATE, 1);
  const bool is_path = endpoint.starts_with(kIpc);
  if (is_path) {
    auto lock = LockPath(endpoint);
    if (!lock) return tl::make_unexpected(lock.error());
    socket.KeepLock(*lock);
  }
  if (zmq_bind(socket.get(), endpoint.c_str()) != 0)
    return Fail(errno == EADDRINUSE ? FaultCode::kAlreadyRunning : FaultCode::kIoFailed,
                SystemError("cannot listen on", endpoint) + "; is the directory there and writable?");
  if (is_path && chmod(endpoint.c_str() + kIpc.size(), 0660) != 0)
    return Fail(FaultCode::kIoFailed, SystemError("cannot set the mode of", endpoint));
  return socket;
}

/// Asking again is harmless, and needed: the request travels through the same conflating buffer as what is told, and
/// one that crosses a look of its reader stays there until another follows it. Now and then it was lost for good.
void Subscribe(void* socket) { zmq_setsockopt(socket, ZMQ_SUBSCRIBE, "", 0); }

Result<Handle> ConnectSocket(int type, const std::string& endpoint) {
  Handle socket(type, Side::kConnects);
  if (!socket.valid()) return Fail(FaultCode::kIoFailed, SystemError("cannot open a socket for", endpoint));
  if (type == ZMQ_SUB) {
    socket.Set(ZMQ_CONFLATE, 1);  // Before connecting: afterwards it has no effect.
    Subscribe(socket.get());
  }
  if (zmq_connect(socket.get(), endpoint.c_str()) != 0)
    return Fail(FaultCode::kIoFailed, SystemError("cannot connect to", endpoint));
  return socket;
}

/// True once `event` holds; false when the wait is over.
bool WaitFor(void* socket, short event, SteadyClock::time_point until) {
  for (;;) {
    zmq_pollitem_t item{socket, 0, event, 0};
    const auto left = std::chrono::ceil<Wait>(until - SteadyClock::now());
    const int ready = zmq_poll(&item, 1, std::max<long>(0, left.count()));
    if (ready > 0) return true;
    if (ready == 0 || errno != EINTR) return false;
    if (SteadyClock::now() >= until) return false;
  }
}

/// Waits for a frame and takes it. One system call where zmq_poll makes five: this is in the path of each control tick.
bool ReceiveWithin(void* socket, Frame& frame, SteadyClock::time_point until) {
  if (frame.Receive(socket, ZMQ_DONTWAIT)) return true;
  while (errno == EAGAIN) {
    const auto left = std::chrono::ceil<Wait>(until - SteadyClock::now());
    if (left.count() <= 0) return false;
    const int timeout_ms = static_cast<int>(left.count());
    zmq_setsockopt(socket, ZMQ_RCVTIMEO, &timeout_ms, sizeof timeout_ms);
    if (frame.Receive(socket, 0)) return true;
  }
  return false;
}

using IdBytes = std::array<char, sizeof(std::uint64_t)>;

IdBytes EncodeId(std::uint64_t id) {
  IdBytes bytes;
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(id >> (8 * i));
  return bytes;
}

std::uint64_t DecodeId(std::string_view bytes) {
  std::uint64_t id = 0;
  for (std::size_t i = 0; i < sizeof id; ++i)
    id |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
  return id;
}

bool SendFrame(void* socket, std::string_view bytes, int flags) {
  int sent = -1;
  do sent = zmq_send(socket, bytes.data(), bytes.size(), flags);
  while (sent < 0 && errno == EINTR);
  return sent >= 0;
}

enum class Arrival { kNothing, kWhole, kMisshapen };

/// Waits for one message; kWhole if it has exactly `N` frames.
template <std::size_t N>
Arrival ReceiveFrames(void* socket, std::array<Frame, N>& frames, SteadyClock::time_point until) {
  if (!ReceiveWithin(socket, frames[0], until)) return Arrival::kNothing;
  std::size_t count = 1;
  Frame surplus;
  for (bool more = frames[0].more(); more; ++count) {
    Frame& frame = count < N ? frames[count] : surplus;
    if (!frame.Receive(socket, ZMQ_DONTWAIT)) return Arrival::kMisshapen;  // Parts arrive together or not at all.
    more = frame.more();
  }
  return count == N ? Arrival::kWhole : Arrival::kMisshapen;
}

}  // namespace

Result<Endpoints> EndpointsIn(const std::string& run_directory) {
  constexpr std::string_view kLongest = "/supervisor-control.sock";
  constexpr std::size_t kPathBytesMax = sizeof(sockaddr_un::sun_path) - 1;
  if (run_directory.size() + kLongest.size() > kPathBytesMax)
    return Fail(FaultCode::kInvalidConfig,
                "run directory " + run_directory + " has " + std::to_string(run_directory.size()) + " bytes: at most " +
                    std::to_string(kPathBytesMax - kLongest.size()) +
                    " are allowed, because the kernel limits socket paths; use a shorter --data path");
  const auto at = [&](std::string_view name) { return std::string(kIpc) + run_directory + "/" + std::string(name); };
  return Endpoints{.cell_bus = at("cell-bus.sock"),
                   .cell_camera = at("cell-camera.sock"),
                   .cell_control = at("cell-control.sock"),
                   .safety_command = at("safety-command.sock"),
                   .safety_state = at("safety-state.sock"),
                   .supervisor_control = at("supervisor-control.sock"),
                   .supervisor_state = at("supervisor-state.sock"),
                   .learner_state = at("learner-state.sock"),
                   .metrics = at("metrics.sock")};
}

struct Requester::Socket {
  Handle handle;
  std::string endpoint;
  std::uint64_t last_id = 0;
};

Requester::Requester(std::unique_ptr<Socket> socket) : socket_(std::move(socket)) {}
Requester::Requester(Requester&&) noexcept = default;
Requester& Requester::operator=(Requester&&) noexcept = default;
Requester::~Requester() = default;

Result<Requester> Requester::Connect(const std::string& endpoint) {
  auto handle = ConnectSocket(ZMQ_DEALER, endpoint);
  if (!handle) return tl::make_unexpected(handle.error());
  return Requester(std::make_unique<Socket>(Socket{std::move(*handle), endpoint, 0}));
}

Result<std::string> Requester::Call(std::string_view body, Wait wait) {
  const auto until = SteadyClock::now() + wait;
  const auto id = Send(body, wait);
  if (!id) return tl::make_unexpected(id.error());
  return Receive(*id, std::max(Wait{0}, std::chrono::ceil<Wait>(until - SteadyClock::now())));
}

Result<std::uint64_t> Requester::Send(std::string_view body, Wait wait) {
  if (body.size() > kMessageBytesMax)
    return Fail(FaultCode::kMalformedMessage, "request to " + socket_->endpoint + " has " +
                                                  std::to_string(body.size()) + " bytes: at most " +
                                                  std::to_string(kMessageBytesMax) + " are allowed");
  void* const socket = socket_->handle.get();
  const IdBytes id = EncodeId(++socket_->last_id);
  constexpr int kFirst = ZMQ_DONTWAIT | ZMQ_SNDMORE;
  const std::string_view id_bytes(id.data(), id.size());
  const auto until = SteadyClock::now() + wait;
  const bool sent = (SendFrame(socket, id_bytes, kFirst) ||
                     (WaitFor(socket, ZMQ_POLLOUT, until) && SendFrame(socket, id_bytes, kFirst))) &&
                    SendFrame(socket, body, ZMQ_DONTWAIT);
  if (!sent)
    return Fail(FaultCode::kPeerTimeout, "nobody took the request at " + socket_->endpoint + " within " +
                                             std::to_string(wait.count()) + " ms; is that process running?");
  return socket_->last_id;
}

Result<std::string> Requester::Receive(std::uint64_t id, Wait wait) {
  const auto until = SteadyClock::now() + wait;
  void* const socket = socket_->handle.get();
  for (int late = 0; late < kLateAnswersPerReceiveMax; ++late) {
    std::array<Frame, 2> frames;
    const Arrival arrival = ReceiveFrames(socket, frames, until);
    if (arrival == Arrival::kNothing) break;
    if (arrival == Arrival::kMisshapen) continue;
    if (frames[0].bytes().size() != sizeof id || DecodeId(frames[0].bytes()) != id) continue;
    return std::string(frames[1].bytes());
  }
  return Fail(FaultCode::kPeerTimeout, "no answer from " + socket_->endpoint + " within " +
                                           std::to_string(wait.count()) + " ms; is that process running?");
}

struct Replier::Socket {
  Handle handle;
  std::uint64_t malformed = 0;
  std::uint64_t undelivered = 0;
};

Replier::Replier(std::unique_ptr<Socket> socket) : socket_(std::move(socket)) {}
Replier::Replier(Replier&&) noexcept = default;
Replier& Replier::operator=(Replier&&) noexcept = default;
Replier::~Replier() = default;

Result<Replier> Replier::Bind(const std::string& endpoint) {
  auto handle = BindSocket(ZMQ_ROUTER, endpoint);
  if (!handle) return tl::make_unexpected(handle.error());
  return Replier(std::make_unique<Socket>(Socket{std::move(*handle), 0, 0}));
}

std::optional<Replier::Request> Replier::Receive(Wait wait) {
  const auto until = SteadyClock::now() + wait;
  void* const socket = socket_->handle.get();
  for (int bad = 0; bad < kMalformedPerReceiveMax; ++bad) {
    std::array<Frame, 3> frames;  // Peer, id, body.
    const Arrival arrival = ReceiveFrames(socket, frames, until);
    if (arrival == Arrival::kNothing) break;
    if (arrival == Arrival::kWhole && frames[1].bytes().size() == sizeof(std::uint64_t) &&
        frames[2].bytes().size() <= kMessageBytesMax)
      return Request{std::string(frames[0].bytes()), DecodeId(frames[1].bytes()), std::string(frames[2].bytes())};
    ++socket_->malformed;
  }
  return std::nullopt;
}

namespace {

/// With ROUTER_MANDATORY the first frame fails when the peer is gone, or (EAGAIN) has not taken the reply before this
/// one; then nothing was sent. That the one before was taken shows only after the socket has looked at its commands.
bool StartReply(void* socket, const std::string& peer) {
  constexpr int kFlags = ZMQ_DONTWAIT | ZMQ_SNDMORE;
  const auto until = SteadyClock::now() + kReplyWaitMax;
  while (!SendFrame(socket, peer, kFlags)) {
    if (errno != EAGAIN || SteadyClock::now() >= until) return false;
    int events = 0;
    std::size_t size = sizeof events;
    zmq_getsockopt(socket, ZMQ_EVENTS, &events, &size);
    if (SendFrame(socket, peer, kFlags)) return true;
    poll(nullptr, 0, 1);
  }
  return true;
}

}  // namespace

void Replier::Reply(const Request& request, std::string_view body) {
  void* const socket = socket_->handle.get();
  const IdBytes id = EncodeId(request.id);
  const bool sent = StartReply(socket, request.peer) &&
                    SendFrame(socket, {id.data(), id.size()}, ZMQ_DONTWAIT | ZMQ_SNDMORE) &&
                    SendFrame(socket, body, ZMQ_DONTWAIT);
  if (!sent) ++socket_->undelivered;
}

std::uint64_t Replier::malformed() const { return socket_->malformed; }
std::uint64_t Replier::undelivered() const { return socket_->undelivered; }

int Replier::descriptor() const {
  int descriptor = -1;
  std::size_t size = sizeof descriptor;
  zmq_getsockopt(socket_->handle.get(), ZMQ_FD, &descriptor, &size);
  return descriptor;
}

struct Publisher::Socket {
  Handle handle;
};

Publisher::Publisher(std::unique_ptr<Socket> socket) : socket_(std::move(socket)) {}
Publisher::Publisher(Publisher&&) noexcept = default;
Publisher& Publisher::operator=(Publisher&&) noexcept = default;
Publisher::~Publisher() = default;

Result<Publisher> Publisher::Bind(const std::string& endpoint) {
  auto handle = BindSocket(ZMQ_PUB, endpoint);
  if (!handle) return tl::make_unexpected(handle.error());
  return Publisher(std::make_unique<Socket>(Socket{std::move(*handle)}));
}

void Publisher::Publish(std::string_view body) { SendFrame(socket_->handle.get(), body, ZMQ_DONTWAIT); }

struct Subscriber::Socket {
  Handle handle;
  SteadyClock::time_point quiet_since = SteadyClock::now();  // It last heard, or asked.
};

Subscriber::Subscriber(std::unique_ptr<Socket> socket) : socket_(std::move(socket)) {}
Subscriber::Subscriber(Subscriber&&) noexcept = default;
Subscriber& Subscriber::operator=(Subscriber&&) noexcept = default;
Subscriber::~Subscriber() = default;

Result<Subscriber> Subscriber::Connect(const std::string& endpoint) {
  auto handle = ConnectSocket(ZMQ_SUB, endpoint);
  if (!handle) return tl::make_unexpected(handle.error());
  return Subscriber(std::make_unique<Socket>(Socket{std::move(*handle)}));
}

std::optional<std::string> Subscriber::Latest(Wait wait) {
  void* const socket = socket_->handle.get();
  const auto until = SteadyClock::now() + wait;
  Frame frame;
  while (!ReceiveWithin(socket, frame, std::min(until, socket_->quiet_since + kAskAgainAfter))) {
    const auto now = SteadyClock::now();
    if (now >= socket_->quiet_since + kAskAgainAfter) {
      Subscribe(socket);
      socket_->quiet_since = now;
    }
    if (now >= until) return std::nullopt;
  }
  socket_->quiet_since = SteadyClock::now();
  if (frame.bytes().size() > kMessageBytesMax) return std::nullopt;
  return std::string(frame.bytes());
}

}  // namespace nightshift::io
