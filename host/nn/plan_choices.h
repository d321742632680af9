/* What a plan chose, node by node: for tuning.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_NN_PLAN_CHOICES_H
#define TPP_NN_PLAN_CHOICES_H

#include "nn/plan.h"
#include "ops/op.h"

/* A node that runs whenever the plan runs. */
typedef struct tpp_plan_choice {
    const tpp_op *op;
    tpp_call call; /* as the algorithm was chosen for: no operand is packed; no memory */
    const tpp_algorithm *algorithm;
    tpp_cost cost;
    int node;     /* index for tpp_plan_profile */
    int launches; /* 0 until the plan is recorded */
} tpp_plan_choice;

/* The i-th such node, from 0; false past the last. call.attr is borrowed until the plan closes. */
bool tpp_plan_choice_at(const tpp_plan *p, int i, tpp_plan_choice *out);

#endif
