// A server with a well-known queue, and clients with a reply queue each: two programs of one
// source, written for System V message queues as any others. Clients are killed at their work; the
// server and those that come later must not notice.
//
//   request_reply                          plays all of it
//   request_reply server QUEUE
//   request_reply client QUEUE REPLIES N   asks N times; for ever if N is 0
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/wait.h>
#include <unistd.h>

enum { kStop = 1, kNormal = 2 };  // types of requests; the server takes the lowest first
enum { kKills = 40, kPatience = 10 };

struct request {
  long type;
  struct {
    int replies;
    int number;
  } body;
};

struct reply {
  long type;  // number + 1
  long long answer;
};

#define REQUEST_SIZE sizeof(((struct request*)0)->body)
#define REPLY_SIZE sizeof(long long)

static void fail(const char* what) {
  printf("FAILED: %s: %s\n", what, strerror(errno));
  exit(1);
}

static void expect(int is_right, const char* what) {
  errno = 0;
  if (!is_right) fail(what);
}

static int server(int queue) {
  struct request request;
  for (;;) {
    if (msgrcv(queue, &request, REQUEST_SIZE, -kNormal, 0) != (ssize_t)REQUEST_SIZE) fail("server");
    if (request.type == kStop) return 0;
    const long long number = request.body.number;
    const struct reply reply = {number + 1, number * number};
    // Of a client that was killed nobody empties the queue, or it is gone already.
    if (msgsnd(request.body.replies, &reply, REPLY_SIZE, IPC_NOWAIT) != 0 && errno != EAGAIN &&
        errno != EINVAL && errno != EIDRM) {
      fail("reply");
    }
  }
}

static void ask(int queue, int replies, int number) {
  const struct request request = {kNormal, {replies, number}};
  struct reply reply;
  if (msgsnd(queue, &request, REQUEST_SIZE, 0) != 0) fail("request");
  if (msgrcv(replies, &reply, REPLY_SIZE, number + 1, 0) != (ssize_t)REPLY_SIZE) fail("answer");
  expect(reply.answer == (long long)number * number, "the answer is right");
}

static int client(int queue, int replies, int count) {
  for (int number = 0; count == 0 || number < count; ++number) ask(queue, replies, number % 10000);
  return 0;
}

// ------------------------------------------------------------------------ the play

static pid_t start(const char* role, int queue, int replies, int count) {
  char texts[3][16];
  snprintf(texts[0], sizeof texts[0], "%d", queue);
  snprintf(texts[1], sizeof texts[1], "%d", replies);
  snprintf(texts[2], sizeof texts[2], "%d", count);
  fflush(stdout);
  const pid_t pid = fork();
  if (pid < 0) fail("fork");
  if (pid == 0) {
    execl("/proc/self/exe", "request_reply", role, texts[0], texts[1], texts[2], (char*)NULL);
    _exit(127);
  }
  return pid;
}

static void expect_success(pid_t pid, const char* what) {
  int status;
  if (waitpid(pid, &status, 0) != pid) fail("waitpid");
  expect(status == 0, what);
}

static void kill_hard(pid_t pid) {
  int status;
  kill(pid, SIGKILL);
  if (waitpid(pid, &status, 0) != pid) fail("waitpid");
  expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "the client was at work until killed");
}

// Gives the process time to go to sleep in what it does next.
static void wait_for_sleep(pid_t pid) {
  char path[32], line[256];
  snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
  for (int n = 0; n < 200; ++n) {
    FILE* file = fopen(path, "r");
    if (file == NULL || fgets(line, sizeof line, file) == NULL) fail(path);
    fclose(file);
    usleep(50 * 1000);
    const char* end = strrchr(line, ')');
    if (end != NULL && end[2] == 'S') return;
  }
  fail("it does not go to sleep");
}

static int new_queue(void) {
  const int queue = msgget(IPC_PRIVATE, 0600);
  if (queue < 0) fail("msgget");
  return queue;
}

static void remove_queue(int queue) {
  if (msgctl(queue, IPC_RMID, NULL) != 0) fail("IPC_RMID");
}

static unsigned long messages_in(int queue) {
  struct msqid_ds status;
  if (msgctl(queue, IPC_STAT, &status) != 0) fail("IPC_STAT");
  return status.msg_qnum;
}

static void serve_a_client(int queue, int count) {
  const int replies = new_queue();
  alarm(kPatience);  // a client that nobody serves would sleep for ever
  expect_success(start("client", queue, replies, count), "a client is served");
  alarm(0);
  expect(messages_in(replies) == 0, "each request is answered once");
  remove_queue(replies);
}

static void kill_a_waiting_receiver(void) {
  const int unserved = new_queue();
  const int replies = new_queue();
  const pid_t pid = start("client", unserved, replies, 1);
  wait_for_sleep(pid);
  kill_hard(pid);
  const struct reply reply = {1, 0};
  if (msgsnd(replies, &reply, REPLY_SIZE, IPC_NOWAIT) != 0) fail("msgsnd");
  expect(messages_in(replies) == 1, "the dead receiver takes nothing");
  expect(messages_in(unserved) == 1, "what it had sent is there");
  remove_queue(replies);
  remove_queue(unserved);
  printf("killed as it waited for a message: it takes none\n");
}

static void kill_a_waiting_sender(void) {
  const int full = new_queue();
  const int replies = new_queue();
  const struct request request = {kNormal, {replies, 1}};
  unsigned long count = 0;
  while (msgsnd(full, &request, REQUEST_SIZE, IPC_NOWAIT) == 0) ++count;
  const pid_t pid = start("client", full, replies, 1);
  wait_for_sleep(pid);
  kill_hard(pid);
  struct request taken;
  if (msgrcv(full, &taken, REQUEST_SIZE, 0, 0) < 0) fail("msgrcv");
  expect(messages_in(full) == count - 1, "the dead sender sends nothing");
  remove_queue(full);
  remove_queue(replies);
  printf("killed as it waited for room: it sends none\n");
}

static void kill_clients_at_work(int queue) {
  srand(4711);
  for (int n = 0; n < kKills; ++n) {
    const int replies = new_queue();
    const pid_t pid = start("client", queue, replies, 0);
    usleep((useconds_t)(rand() % 4000));
    kill_hard(pid);
    serve_a_client(queue, 20);
    expect(messages_in(replies) <= 1, "at most one answer was on its way");
    remove_queue(replies);
  }
  printf("%d clients killed at work, and one served after each\n", kKills);
}

static int play(void) {
  const int queue = msgget(0x72657175, IPC_CREAT | IPC_EXCL | 0600);
  if (queue < 0) fail("msgget");
  const pid_t server_pid = start("server", queue, 0, 0);
  serve_a_client(queue, 1000);
  printf("a client is served\n");

  pid_t clients[6];
  int replies[6];
  for (int n = 0; n < 6; ++n) {
    replies[n] = new_queue();
    clients[n] = start("client", queue, replies[n], 2000);
  }
  for (int n = 0; n < 6; ++n) {
    expect_success(clients[n], "one of many clients is served");
    remove_queue(replies[n]);
  }
  printf("six clients are served at once\n");

  kill_a_waiting_receiver();
  kill_a_waiting_sender();
  kill_clients_at_work(queue);

  const struct request stop = {kStop, {0, 0}};
  if (msgsnd(queue, &stop, REQUEST_SIZE, 0) != 0) fail("msgsnd");
  expect_success(server_pid, "the server ends");
  remove_queue(queue);
  struct msginfo info;
  if (msgctl(0, MSG_INFO, (struct msqid_ds*)&info) < 0) fail("MSG_INFO");
  printf("left: %d queues, %d messages, %d bytes\n", info.msgpool, info.msgmap, info.msgtql);
  return 0;
}

int main(int argc, char** argv) {
  if (argc == 1) return play();
  if (argc != 5) return 2;
  alarm(4 * kPatience);  // whoever plays this may be gone
  if (strcmp(argv[1], "server") == 0) return server(atoi(argv[2]));
  return client(atoi(argv[2]), atoi(argv[3]), atoi(argv[4]));
}
