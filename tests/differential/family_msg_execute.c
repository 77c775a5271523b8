// Makes the calls of System V message queues and writes down everything that they give back.

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "family_msg.h"
#include "proc_text.h"

enum { kTypeSize = sizeof(long) };

static void execute_get(const Request* request, Reply* reply) {
  const key_t key = (key_t)request->arg[0];
  const int flags = (int)request->arg[1];
  reply->ret = request->raw ? syscall(SYS_msgget, key, flags) : msgget(key, flags);
  reply->error = errno;
}

static void execute_send(const Request* request, const Scratch* scratch, Reply* reply) {
  const Area area = scratch_area(scratch, request->pointer);
  const int id = (int)request->arg[0];
  const long type = (long)request->arg[1];
  const size_t size = (size_t)request->arg[2];
  const int flags = (int)request->arg[3];
  if (area.writable) {
    memcpy(area.base, &type, kTypeSize);
    fill_bytes(area.base + kTypeSize, area.room - kTypeSize, request->tag);
  }
  errno = 0;
  reply->ret = request->raw ? syscall(SYS_msgsnd, id, area.base, size, flags)
                            : msgsnd(id, area.base, size, flags);
  reply->error = errno;
}

static void report_message(const Area* area, const Reply* reply, Text* text) {
  if (reply->ret < 0) {
    // What a copy that faults half-way leaves behind is nobody's promise: it depends on the CPU.
    if (reply->error != EFAULT && !area_untouched(area, 0)) text_add(text, " buffer touched");
    return;
  }
  long type;
  memcpy(&type, area->base, kTypeSize);
  const size_t size = (size_t)reply->ret;
  text_add(text, " type %ld hash %016" PRIx64, type, hash_bytes(area->base + kTypeSize, size));
  if (!area_untouched(area, kTypeSize + size)) text_add(text, " buffer touched beyond");
}

static void execute_receive(const Request* request, const Scratch* scratch, Reply* reply,
                            Text* text) {
  const Area area = scratch_area(scratch, request->pointer);
  const int id = (int)request->arg[0];
  const long type = (long)request->arg[1];
  const size_t size = (size_t)request->arg[2];
  const int flags = (int)request->arg[3];
  area_paint(&area);
  errno = 0;
  reply->ret = request->raw ? syscall(SYS_msgrcv, id, area.base, size, type, flags)
                            : msgrcv(id, area.base, size, type, flags);
  reply->error = errno;
  report_message(&area, reply, text);
}

// Fills the struct that IPC_SET reads: beside what is set, garbage that must be ignored.
static void prepare_set(const Request* request, const Area* area) {
  struct msqid_ds ds;
  fill_bytes(&ds, sizeof(ds), request->tag);
  ds.msg_qbytes = (msglen_t)request->arg[2];
  ds.msg_perm.mode = (__typeof__(ds.msg_perm.mode))request->arg[3];
  ds.msg_perm.uid = (uid_t)request->arg[4];
  ds.msg_perm.gid = (gid_t)request->arg[5];
  memcpy(area->base, &ds, area->room < sizeof(ds) ? area->room : sizeof(ds));
}

static void report_status(const Area* area, Text* text) {
  struct msqid_ds ds;
  memcpy(&ds, area->base, sizeof(ds));
  text_add(text, " key %d owner %u:%u creator %u:%u mode 0%o seq %u", (int)ds.msg_perm.__key,
           (unsigned)ds.msg_perm.uid, (unsigned)ds.msg_perm.gid, (unsigned)ds.msg_perm.cuid,
           (unsigned)ds.msg_perm.cgid, (unsigned)ds.msg_perm.mode, (unsigned)ds.msg_perm.__seq);
  text_add(text, " qbytes %lu cbytes %lu qnum %lu", (unsigned long)ds.msg_qbytes,
           (unsigned long)ds.__msg_cbytes, (unsigned long)ds.msg_qnum);
  text_add(text, " lspid ");
  text_add_pid(text, ds.msg_lspid);
  text_add(text, " lrpid ");
  text_add_pid(text, ds.msg_lrpid);
  text_add(text, " stime ");
  text_add_time(text, ds.msg_stime);
  text_add(text, " rtime ");
  text_add_time(text, ds.msg_rtime);
  text_add(text, " ctime ");
  text_add_time(text, ds.msg_ctime);
  // The hash covers what has no name: padding and reserved words.
  ds.msg_lspid = ds.msg_lrpid = 0;
  ds.msg_stime = ds.msg_rtime = ds.msg_ctime = 0;
  text_add(text, " hash %016" PRIx64, hash_bytes(&ds, sizeof(ds)));
  if (!area_untouched(area, sizeof(ds))) text_add(text, " buffer touched beyond");
}

static void report_info(const Area* area, Text* text) {
  struct msginfo info;
  memcpy(&info, area->base, sizeof(info));
  text_add(text, " pool %d map %d max %d mnb %d mni %d ssz %d tql %d seg %u hash %016" PRIx64,
           info.msgpool, info.msgmap, info.msgmax, info.msgmnb, info.msgmni, info.msgssz,
           info.msgtql, (unsigned)info.msgseg, hash_bytes(&info, sizeof(info)));
  if (!area_untouched(area, sizeof(info))) text_add(text, " buffer touched beyond");
}

static void report_control(const Request* request, const Area* area, const Reply* reply,
                           Text* text) {
  const bool gives_status =
      request->op == kMsgStat || request->op == kMsgStatIndex || request->op == kMsgStatAny;
  const bool gives_info = request->op == kMsgIpcInfo || request->op == kMsgMsgInfo;
  if (reply->ret >= 0 && gives_status)
    report_status(area, text);
  else if (reply->ret >= 0 && gives_info)
    report_info(area, text);
  else if (request->op != kMsgSet && reply->error != EFAULT && !area_untouched(area, 0))
    text_add(text, " buffer touched");
}

static void execute_control(const Request* request, const Scratch* scratch, Reply* reply,
                            Text* text) {
  const Area area = scratch_area(scratch, request->pointer);
  const int id = (int)request->arg[0];
  const int command = (int)request->arg[1];
  area_paint(&area);
  if (request->op == kMsgSet && area.writable) prepare_set(request, &area);
  errno = 0;
  reply->ret = request->raw ? syscall(SYS_msgctl, id, command, area.base)
                            : msgctl(id, command, (struct msqid_ds*)area.base);
  reply->error = errno;
  report_control(request, &area, reply, text);
}

// Linux: ipc/msg.c:sysvipc_msg_proc_show()
static bool add_proc_line(Text* text, const char* line) {
  static const char kFormat[] = "%10d %10d  %4o  %10lu %10lu %5u %5u %5u %5u %5u %5u %10llu %10llu"
                                " %10llu";
  int key, id;
  unsigned mode, lspid, lrpid, uid, gid, cuid, cgid;
  unsigned long cbytes, qnum;
  unsigned long long stime, rtime, ctime;
  char again[256];
  if (sscanf(line, "%d %d %o %lu %lu %u %u %u %u %u %u %llu %llu %llu", &key, &id, &mode, &cbytes,
             &qnum, &lspid, &lrpid, &uid, &gid, &cuid, &cgid, &stime, &rtime, &ctime) != 14)
    return false;
  snprintf(again, sizeof(again), kFormat, key, id, mode, cbytes, qnum, lspid, lrpid, uid, gid, cuid,
           cgid, stime, rtime, ctime);
  if (strcmp(line, again) != 0) return false;
  text_add(text, "\n  | %d %d %o %lu %lu ", key, id, mode, cbytes, qnum);
  text_add_pid(text, lspid);
  text_add(text, " ");
  text_add_pid(text, lrpid);
  text_add(text, " %u %u %u %u ", uid, gid, cuid, cgid);
  text_add_time(text, (int64_t)stime);
  text_add(text, " ");
  text_add_time(text, (int64_t)rtime);
  text_add(text, " ");
  text_add_time(text, (int64_t)ctime);
  return true;
}

void msg_execute(const Request* request, const Scratch* scratch, Reply* reply) {
  Text text = text_over(reply->text, sizeof(reply->text));
  errno = 0;
  switch (request->op) {
    case kMsgGet: execute_get(request, reply); break;
    case kMsgSnd: execute_send(request, scratch, reply); break;
    case kMsgRcv: execute_receive(request, scratch, reply, &text); break;
    case kMsgProc: proc_text_read(request, "/proc/sysvipc/msg", add_proc_line, reply, &text); break;
    default: execute_control(request, scratch, reply, &text);
  }
}
