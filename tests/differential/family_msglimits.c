// The sysctls of System V message queues: reads and writes of /proc/sys/kernel/msg*.
//
// Meant to run beside the family msg, whose calls then meet ENOSPC, other sizes of MSGMAX and
// MSGMNB, and ids chosen by msg_next_id. arg[0] is the index of the file, arg[1] of the text.

#include <errno.h>
#include <string.h>

#include "family.h"
#include "proc_text.h"

typedef enum LimitOp { kLimitRead, kLimitWrite, kLimitOps } LimitOp;

static const char* const kOps[kLimitOps] = {"read sysctl", "write sysctl"};

static const char* const kFiles[] = {
    "/proc/sys/kernel/msgmax",      "/proc/sys/kernel/msgmnb",      "/proc/sys/kernel/msgmni",
    "/proc/sys/kernel/msg_next_id", "/proc/sys/kernel/auto_msgmni",
};
enum { kFileCount = sizeof(kFiles) / sizeof(kFiles[0]), kDefaults = 5 };

// The first kDefaults texts, one per file, put back what a fresh namespace has.
// None lets MSGMAX reach INT_MAX: the msg family's sizes beyond its buffers must stay refused.
static const char* const kTexts[] = {
    "8192\n", "16384\n", "32000\n", "-1\n",
    "0\n",    "0",       "1\n",     "5",
    "6\n",    "40\n",    "100 \n",  "10000\n",
    "65\n",   "32769\n", "98310\n", "-2\n",
    "",       "\n",      "abc\n",   "12abc\n",
    "5 6\n",  "0x20\n",  " 64\n",   "2147483648\n",
    "+3\n",   "32768\n", "32767\n", "99999999999999999999\n",
};
enum { kTextCount = sizeof(kTexts) / sizeof(kTexts[0]) };

static void limits_draw(Rng* rng, bool may_sleep, const Request* sleeper, Request* request) {
  (void)may_sleep;
  (void)sleeper;
  request->op = rng_percent(rng, 40) ? kLimitRead : kLimitWrite;
  request->arg[0] = rng_below(rng, kFileCount);
  request->arg[1] = rng_percent(rng, 45) ? request->arg[0] : rng_below(rng, kTextCount);
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
  const char* bytes = kTexts[request->arg[1]];
  if (request->op == kLimitRead)
    proc_text_read(&whole, kFiles[request->arg[0]], add_limit_line, reply, &text);
  else
    proc_text_write(request, kFiles[request->arg[0]], bytes, strlen(bytes), reply);
}

static void limits_describe(const Request* request, Text* text) {
  text_add(text, "%s %s", kOps[request->op], kFiles[request->arg[0]]);
  if (request->op != kLimitWrite) return;
  text_add(text, " ");
  text_add_quoted(text, kTexts[request->arg[1]], strlen(kTexts[request->arg[1]]));
}

static void limits_learn(const Request* request, const Reply* reply) {
  (void)request;
  (void)reply;
}

static bool limits_closing(Request* request) {
  (void)request;
  return false;
}

const Family kMsgLimitsFamily = {
    .name = "msglimits",
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
