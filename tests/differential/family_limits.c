// The sysctls: reads and writes of /proc/sys/kernel/{msg,sem,shm}* and /proc/sys/fs/mqueue/*.
//
// Meant to run beside the other families, whose calls then meet ENOSPC and other limits, and ids
// chosen by {msg,sem,shm}_next_id. arg[0] is the index of the file, arg[1] of the text.

#include <errno.h>
#include <string.h>

#include "family.h"
#include "proc_text.h"

typedef enum LimitOp { kLimitRead, kLimitWrite, kLimitOps } LimitOp;

static const char* const kOps[kLimitOps] = {"read sysctl", "write sysctl"};

#define KERNEL "/proc/sys/kernel/"
#define MQUEUE "/proc/sys/fs/mqueue/"

// Each with what a fresh namespace has.
static const struct {
  const char *path, *usual;
} kFiles[] = {
    {KERNEL "msgmax", "8192\n"},
    {KERNEL "msgmnb", "16384\n"},
    {KERNEL "msgmni", "32000\n"},
    {KERNEL "msg_next_id", "-1\n"},
    {KERNEL "auto_msgmni", "0\n"},
    {KERNEL "sem", "32000 1024000000 500 32000\n"},
    {KERNEL "sem_next_id", "-1\n"},
    {KERNEL "shmmax", "18446744073692774399\n"},
    {KERNEL "shmall", "18446744073692774399\n"},
    {KERNEL "shmmni", "4096\n"},
    {KERNEL "shm_next_id", "-1\n"},
    {KERNEL "shm_rmid_forced", "0\n"},
    {MQUEUE "queues_max", "256\n"},
    {MQUEUE "msg_max", "10\n"},
    {MQUEUE "msgsize_max", "8192\n"},
    {MQUEUE "msg_default", "10\n"},
    {MQUEUE "msgsize_default", "8192\n"},
};
enum { kForcedFile = 11, kFileCount = sizeof(kFiles) / sizeof(kFiles[0]) };

// None lets MSGMAX reach INT_MAX: the msg family's sizes beyond its buffers must stay refused.
static const char* const kTexts[] = {
    "0",
    "1\n",
    "5",
    "6\n",
    "40\n",
    "100 \n",
    "10000\n",
    "65\n",
    "32769\n",
    "98310\n",
    "-2\n",
    "",
    "\n",
    "abc\n",
    "12abc\n",
    "5 6\n",
    "0x20\n",
    " 64\n",
    "+3\n",
    "2147483648\n",
    "32768\n",
    "32767\n",
    "99999999999999999999\n",
    "128\n",
    "9\n",
    "20000\n",
    "8 100 20 15\n",
    "30 x",
    "-1 50\n",
    "5 60 500 32769\n",
};
enum { kOn = 1, kTextCount = sizeof(kTexts) / sizeof(kTexts[0]) };

static void limits_draw(Rng* rng, bool may_sleep, const Request* sleeper, Request* request) {
  (void)may_sleep;
  (void)sleeper;
  request->op = rng_percent(rng, 40) ? kLimitRead : kLimitWrite;
  request->arg[0] = rng_below(rng, kFileCount);
  // Often enough that segments vanish.
  const bool is_forced = request->arg[0] == kForcedFile;
  const bool is_switch = is_forced && rng_percent(rng, 50);
  request->arg[1] = is_switch              ? kOn
                    : rng_percent(rng, 45) ? kTextCount
                                           : rng_below(rng, kTextCount);
  // A cell that a process has moved out of does not learn of an unshare(2) elsewhere.
  if (is_forced && shared->has_namespaces) request->arg[1] = kTextCount;
}

static const char* text_of(const Request* request) {
  return request->arg[1] < kTextCount ? kTexts[request->arg[1]] : kFiles[request->arg[0]].usual;
}

static bool add_limit_line(Text* text, const char* line) {
  (void)text;
  (void)line;
  return false;  // nothing here varies: show every line as it is
}

static void limits_execute(const Request* request, const Scratch* scratch, Reply* reply) {
  (void)scratch;
  Text text = text_over(reply->text, sizeof(reply->text));
  Request whole = *request;
  whole.arg[0] = 4096;
  const char* bytes = text_of(request);
  if (request->op == kLimitRead)
    proc_text_read(&whole, kFiles[request->arg[0]].path, add_limit_line, reply, &text);
  else
    proc_text_write(request, kFiles[request->arg[0]].path, bytes, strlen(bytes), reply);
}

static void limits_describe(const Request* request, Text* text) {
  text_add(text, "%s %s", kOps[request->op], kFiles[request->arg[0]].path);
  if (request->op != kLimitWrite) return;
  text_add(text, " ");
  text_add_quoted(text, text_of(request), strlen(text_of(request)));
}

static void limits_learn(const Request* request, const Reply* reply) {
  (void)request;
  (void)reply;
}

static bool limits_closing(Request* request) {
  (void)request;
  return false;
}

const Family kLimitsFamily = {
    .name = "limits",
    .ops = kOps,
    .op_count = kLimitOps,
    .file_ops = 1U << kLimitRead | 1U << kLimitWrite,
    .weight = 4,
    .draw = limits_draw,
    .execute = limits_execute,
    .describe = limits_describe,
    .learn = limits_learn,
    .closing = limits_closing,
};
