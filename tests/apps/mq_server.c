// A server that waits for a hundred POSIX message queues at once, and clients that send to them,
// some of which are killed at it. Nothing is lost, nothing comes twice: of a client that ended by
// itself all has come, of a killed one all that it had sent, and at most what it was sending. No
// message is left in a queue while the server sleeps.
//
//   mq_server WAY [SEED]      WAY: level, edge, poll, select, workers
//   mq_server worker WAY MEMORY SOCKET     started by the last one
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { kQueues = 100, kRoom = 4, kPriorities = 3, kWorkers = 3 };
enum { kClients = 60, kAtOnce = 6, kMessages = 300, kPatience = 2000 };

struct message {
  unsigned client, number, queue, check;
};

// What all processes see.
struct client {
  unsigned sent;                 // counted behind each mq_send()
  unsigned char got[kMessages];  // how often each message came
};
struct board {
  struct client clients[kClients];
  int is_over;  // all clients have ended
  int failures;
};

static struct board* board;
static const char* own_way;
static mqd_t queues[kQueues];  // -1: another worker's

static void fail(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  printf("FAILED: ");
  vprintf(format, arguments);
  va_end(arguments);
  printf(" (%s)\n", strerror(errno));
  fflush(stdout);
  __atomic_add_fetch(&board->failures, 1, __ATOMIC_SEQ_CST);
}

static void fail_hard(const char* what) {
  fail("%s", what);
  exit(1);
}

static void pause_us(long us) {
  const struct timespec time = {us / 1000000, us % 1000000 * 1000};
  nanosleep(&time, NULL);
}

static unsigned check_of(const struct message* message) {
  return (message->client * 31 + message->number) * 31 + message->queue;
}

static void name_of(int queue, char* name) { sprintf(name, "/server-%d", queue); }

// ------------------------------------------------------------------------ the server

// The last number of each client, queue and priority: among these the order is kept.
static int last[kClients][kQueues][kPriorities];

static void take_note(int queue, const struct message* message, unsigned priority) {
  if (message->client >= kClients || message->number >= kMessages ||
      message->queue != (unsigned)queue || priority >= kPriorities ||
      message->check != check_of(message)) {
    fail("a message that nobody sent");
    return;
  }
  int* before = &last[message->client][queue][priority];
  if (*before > (int)message->number) fail("out of order");
  *before = (int)message->number + 1;
  if (__atomic_add_fetch(&board->clients[message->client].got[message->number], 1,
                         __ATOMIC_SEQ_CST) != 1)
    fail("twice");
}

// True if there was a message.
static int receive_one(int queue) {
  struct message message;
  unsigned priority;
  const ssize_t size = mq_receive(queues[queue], (char*)&message, sizeof message, &priority);
  if (size < 0 && errno == EAGAIN) return 0;
  if (size != sizeof message) {
    fail("mq_receive");
    return 0;
  }
  take_note(queue, &message, priority);
  return 1;
}

// Nobody came for some time: is there really nothing?
static void check_empty(void) {
  struct mq_attr attributes;
  for (int queue = 0; queue < kQueues; ++queue) {
    if (queues[queue] < 0) continue;
    if (mq_getattr(queues[queue], &attributes) != 0) fail("mq_getattr");
    if (attributes.mq_curmsgs != 0)
      fail("%ld messages in queue %d, and no event", attributes.mq_curmsgs, queue);
  }
}

// Each gives the number of queues that are ready, and calls `serve` for them.
static int watcher = -1;

static void watch_by_epoll(int queue, unsigned events) {
  struct epoll_event event = {.events = events, .data.u32 = (unsigned)queue};
  if (watcher < 0) watcher = epoll_create1(EPOLL_CLOEXEC);
  if (epoll_ctl(watcher, EPOLL_CTL_ADD, queues[queue], &event) != 0) fail_hard("epoll_ctl");
}

static int is_by_edge(int queue) {
  return strcmp(own_way, "edge") == 0 || (strcmp(own_way, "workers") == 0 && queue % 2 == 0);
}

static int serve_epoll(void) {
  struct epoll_event events[8];
  const int count = epoll_wait(watcher, events, 8, kPatience);
  for (int n = 0; n < count; ++n) {
    const int queue = (int)events[n].data.u32;
    // By level one message at a time: what is left gives an event again.
    while (receive_one(queue) && is_by_edge(queue)) continue;
  }
  return count;
}

static int serve_poll(void) {
  struct pollfd fds[kQueues];
  for (int queue = 0; queue < kQueues; ++queue)
    fds[queue] = (struct pollfd){.fd = queues[queue], .events = POLLIN};
  const int count = poll(fds, kQueues, kPatience);
  for (int queue = 0; count > 0 && queue < kQueues; ++queue)
    if (fds[queue].revents != 0 && !receive_one(queue)) fail("poll: nothing there");
  return count;
}

static int serve_select(void) {
  struct timeval time = {kPatience / 1000, 0};
  fd_set in;
  int highest = 0;
  FD_ZERO(&in);
  for (int queue = 0; queue < kQueues; ++queue) {
    FD_SET(queues[queue], &in);
    if (queues[queue] > highest) highest = queues[queue];
  }
  const int count = select(highest + 1, &in, NULL, NULL, &time);
  for (int queue = 0; count > 0 && queue < kQueues; ++queue)
    if (FD_ISSET(queues[queue], &in) && !receive_one(queue)) fail("select: nothing there");
  return count;
}

// Until all clients have ended, and nothing has come for a while.
static void serve(unsigned seed) {
  for (;;) {
    const int is_over = __atomic_load_n(&board->is_over, __ATOMIC_SEQ_CST);
    const int count = strcmp(own_way, "poll") == 0     ? serve_poll()
                      : strcmp(own_way, "select") == 0 ? serve_select()
                                                       : serve_epoll();
    if (count < 0 && errno != EINTR) fail_hard(own_way);
    if (count == 0) {
      check_empty();
      if (is_over) return;
    }
    // Now and then the queues fill up.
    if (rand_r(&seed) % 200 == 0) pause_us(rand_r(&seed) % 4000);
  }
}

static void open_queue(int queue) {
  char name[32];
  name_of(queue, name);
  queues[queue] = mq_open(name, O_RDONLY | O_NONBLOCK);
  if (queues[queue] < 0) fail_hard("mq_open");
}

static int run_server(unsigned seed) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (int queue = 0; queue < kQueues; ++queue) {
    open_queue(queue);
    if (strcmp(own_way, "level") == 0) watch_by_epoll(queue, EPOLLIN);
    if (strcmp(own_way, "edge") == 0) watch_by_epoll(queue, EPOLLIN | EPOLLET);
  }
  serve(seed);
  return 0;
}

// ------------------------------------------------------------------------ workers

union control {
  struct cmsghdr header;
  char bytes[CMSG_SPACE(sizeof(int))];
};

static struct msghdr message_over(struct iovec* piece, union control* control) {
  memset(control, 0, sizeof *control);
  return (struct msghdr){.msg_iov = piece,
                         .msg_iovlen = 1,
                         .msg_control = control->bytes,
                         .msg_controllen = sizeof control->bytes};
}

static void pass_queue(int socket, int queue) {
  struct iovec piece = {&queue, sizeof queue};
  union control control;
  struct msghdr message = message_over(&piece, &control);
  control.header = (struct cmsghdr){CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
  memcpy(CMSG_DATA(&control.header), &queues[queue], sizeof(int));
  if (sendmsg(socket, &message, 0) != sizeof queue) fail_hard("sendmsg");
}

// A worker takes the queues that it is given, until the socket is closed, and serves them.
static int run_worker(int socket, unsigned seed) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (int queue = 0; queue < kQueues; ++queue) queues[queue] = -1;
  for (;;) {
    int queue;
    struct iovec piece = {&queue, sizeof queue};
    union control control;
    struct msghdr message = message_over(&piece, &control);
    const ssize_t size = recvmsg(socket, &message, 0);
    if (size == 0) break;
    if (size != sizeof queue) fail_hard("recvmsg");
    memcpy(&queues[queue], CMSG_DATA(&control.header), sizeof(int));
    watch_by_epoll(queue, EPOLLIN | (is_by_edge(queue) ? (unsigned)EPOLLET : 0u));
  }
  serve(seed);
  return 0;
}

static pid_t start_worker(int number, int memory, int socket, int others) {
  const pid_t pid = fork();
  if (pid < 0) fail_hard("fork");
  if (pid != 0) return pid;
  close(others);
  if (number == 0) exit(run_worker(socket, 7));
  // A new program, which knows nothing of queues.
  char texts[2][16];
  snprintf(texts[0], sizeof texts[0], "%d", memory);
  snprintf(texts[1], sizeof texts[1], "%d", socket);
  execl("/proc/self/exe", "mq_server", "worker", own_way, texts[0], texts[1], (char*)NULL);
  fail_hard("execl");
  return -1;
}

// Opens the queues, hands them out, and keeps none.
static void start_workers(int memory, pid_t* pids) {
  int sockets[kWorkers];
  for (int n = 0; n < kWorkers; ++n) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) != 0) fail_hard("socketpair");
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    pids[n] = start_worker(n, memory, ends[1], ends[0]);
    close(ends[1]);
    sockets[n] = ends[0];
  }
  for (int queue = 0; queue < kQueues; ++queue) {
    open_queue(queue);
    pass_queue(sockets[queue % kWorkers], queue);
    mq_close(queues[queue]);
  }
  for (int n = 0; n < kWorkers; ++n) close(sockets[n]);
}

// ------------------------------------------------------------------------ clients

static int run_client(int client, unsigned seed) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  mqd_t out[kQueues];
  for (int queue = 0; queue < kQueues; ++queue) {
    char name[32];
    name_of(queue, name);
    out[queue] = mq_open(name, O_WRONLY);
    if (out[queue] < 0) fail_hard("a client's mq_open");
  }
  for (unsigned number = 0; number < kMessages; ++number) {
    // Some queues get more than others.
    const int is_near = rand_r(&seed) % 3 == 0;
    const int queue = rand_r(&seed) % (is_near ? 5 : kQueues);
    const unsigned priority = (unsigned)rand_r(&seed) % kPriorities;
    struct message message = {(unsigned)client, number, (unsigned)queue, 0};
    message.check = check_of(&message);
    if (mq_send(out[queue], (const char*)&message, sizeof message, priority) != 0)
      fail_hard("mq_send");
    __atomic_store_n(&board->clients[client].sent, number + 1, __ATOMIC_SEQ_CST);
    if (rand_r(&seed) % 16 == 0) pause_us(rand_r(&seed) % 3000);
  }
  return 0;
}

static pid_t start_client(int client, unsigned seed) {
  const pid_t pid = fork();
  if (pid < 0) fail_hard("fork");
  if (pid == 0) exit(run_client(client, seed));
  return pid;
}

// Has so many clients at once, and kills one now and then. `killed`: whom.
static void play_clients(unsigned seed, int* killed) {
  pid_t pids[kAtOnce] = {0};
  int clients[kAtOnce];
  int started = 0, running = 0;
  while (started < kClients || running > 0) {
    for (int n = 0; n < kAtOnce; ++n) {
      if (pids[n] != 0 || started == kClients) continue;
      clients[n] = started++;
      pids[n] = start_client(clients[n], seed + (unsigned)started);
      ++running;
    }
    pause_us(1000 + rand_r(&seed) % 6000);
    const int victim = rand_r(&seed) % kAtOnce;
    if (pids[victim] > 0 && rand_r(&seed) % 3 == 0) kill(pids[victim], SIGKILL);
    for (int n = 0; n < kAtOnce; ++n) {
      int status;
      if (pids[n] <= 0 || waitpid(pids[n], &status, WNOHANG) != pids[n]) continue;
      killed[clients[n]] = WIFSIGNALED(status);
      if (status != 0 && !(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL))
        fail("a client ends with wait status %#x", (unsigned)status);
      pids[n] = 0;
      --running;
    }
  }
}

// ------------------------------------------------------------------------ the play

static void check_client(int client, int is_killed) {
  const struct client* one = &board->clients[client];
  unsigned came = 0;
  while (came < kMessages && one->got[came] == 1) ++came;
  for (unsigned number = came; number < kMessages; ++number)
    if (one->got[number] != 0) fail("client %d: %u is missing, %u is there", client, came, number);
  const int is_right = is_killed ? came == one->sent || came == one->sent + 1
                                 : came == one->sent && came == kMessages;
  if (!is_right) fail("client %d: sent %u, came %u", client, one->sent, came);
}

static void make_queues(void) {
  struct mq_attr attributes = {.mq_maxmsg = kRoom, .mq_msgsize = sizeof(struct message)};
  for (int queue = 0; queue < kQueues; ++queue) {
    char name[32];
    name_of(queue, name);
    const mqd_t made = mq_open(name, O_CREAT | O_EXCL | O_RDWR, 0600, &attributes);
    if (made < 0 || mq_close(made) != 0) fail_hard("mq_open of a new queue");
  }
}

static void expect_end(pid_t pid, const char* who) {
  int status;
  if (waitpid(pid, &status, 0) != pid || status != 0) fail("the %s's status", who);
}

static int play(int memory, unsigned seed) {
  static int killed[kClients];
  pid_t workers[kWorkers] = {0};
  pid_t server = 0;
  const int has_workers = strcmp(own_way, "workers") == 0;
  // The workers are there before anybody has a queue.
  if (!has_workers) make_queues();
  if (has_workers) {
    const pid_t maker = fork();
    if (maker == 0) {
      make_queues();
      exit(0);
    }
    expect_end(maker, "maker");
    start_workers(memory, workers);
  } else if ((server = fork()) == 0) {
    exit(run_server(seed));
  }
  play_clients(seed, killed);
  __atomic_store_n(&board->is_over, 1, __ATOMIC_SEQ_CST);
  if (!has_workers) expect_end(server, "server");
  for (int n = 0; has_workers && n < kWorkers; ++n) expect_end(workers[n], "worker");
  int kills = 0;
  for (int client = 0; client < kClients; ++client) {
    check_client(client, killed[client]);
    kills += killed[client];
  }
  for (int queue = 0; queue < kQueues; ++queue) {
    char name[32];
    name_of(queue, name);
    if (mq_unlink(name) != 0) fail("mq_unlink");
  }
  if (kills == 0 || kills == kClients) fail("%d of %d clients killed", kills, kClients);
  if (board->failures != 0) return 1;
  printf("%s: nothing lost, nothing twice, no event missed\n", own_way);
  return 0;
}

static void map_board(int memory) {
  board = mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
  if (board == MAP_FAILED) exit(2);
}

int main(int count, char** arguments) {
  if (count < 2) return 2;
  if (count == 5 && strcmp(arguments[1], "worker") == 0) {
    own_way = arguments[2];
    map_board(atoi(arguments[3]));
    return run_worker(atoi(arguments[4]), 11);
  }
  const unsigned seed = count > 2 ? (unsigned)atoi(arguments[2]) : 1;
  const int memory = memfd_create("mq_server", 0);
  if (memory < 0 || ftruncate(memory, sizeof *board) != 0) return 2;
  own_way = arguments[1];
  map_board(memory);
  printf("seed %u\n", seed);
  fflush(stdout);
  return play(memory, seed);
}
