// IPC namespaces: the operations, shared by the generator (family_ns.c) and the executor
// (family_ns_execute.c).
//
// A worker keeps a few descriptors of namespaces, at numbers of its own. arg[0] is the slot of the
// one that the call is about, then
//   unshare  [1] flags
//   open     [1] NsPath [2] the worker whose it is [3] 1: it goes with exec
//   setns    [1] types
//   join     [1] types [2] the worker whose pidfd it is
//   child    [1] NsChild

#ifndef DIFFERENTIAL_FAMILY_NS_H
#define DIFFERENTIAL_FAMILY_NS_H

#include "family.h"
#include "place.h"

typedef enum NsOp {
  kNsUnshare,
  kNsOpen,
  kNsClose,
  kNsSetns,
  kNsJoin,
  kNsCompare,
  kNsChild,
  kNsOps,
} NsOp;

typedef enum NsPath { kNsOwn, kNsOwnThread, kNsOther, kNsInFolder, kNsPaths } NsPath;

typedef enum NsChild {
  kNsChildMoves,   // to a new one, where it makes a queue; exits
  kNsChildDies,    // the same, by SIGKILL
  kNsChildEnters,  // the one of the slot, looks around; exits
  kNsChildCloned,  // clone(2) with CLONE_NEWIPC
  kNsChildKept,    // moves to a new one, of which the slot has a descriptor then, and is killed
  kNsChildren,
} NsChild;

void ns_execute(const Request* request, const Scratch* scratch, Reply* reply);

#endif
