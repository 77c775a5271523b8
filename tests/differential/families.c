#include "family.h"

const Family* const kFamilies[] = {
    &kMsgFamily, &kMsgLimitsFamily, &kSemFamily, &kShmFamily, &kMqFamily,
};
const int kFamilyCount = sizeof(kFamilies) / sizeof(kFamilies[0]);
