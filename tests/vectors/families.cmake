# Which recorded families run: orrery_vector_test(PROGRAM FAMILIES ... LINK ...).
orrery_vector_test(values FAMILIES quantity intorstring time LINK orrery_api)
orrery_vector_test(codec FAMILIES codec LINK orrery_api)
orrery_vector_test(selectors FAMILIES label-parse label-selector field-parse node-affinity tolerations
                   template-hash template-equal LINK orrery_api)
orrery_vector_test(patch FAMILIES json merge strategic LINK orrery_api)
orrery_vector_test(controllers LINK orrery_control FAMILIES
  replicaset-claims replicaset-create-errors replicaset-scale-down replicaset-sequence
  deployment-fenceposts deployment-rollout deployment-single deployment-template-equal
  statefulset-revision-hash statefulset-sequence statefulset-single)
orrery_vector_test(job LINK orrery_control FAMILIES
  indexes pod-failure-policy-match success-policy-match backoff-delay orphan pod-template sequence single ttl)
orrery_vector_test(cronjob LINK orrery_control FAMILIES cronjob-schedule cronjob-missed cronjob-sequence)
orrery_vector_test(daemonset LINK orrery_control FAMILIES
  daemonset-counts daemonset-should-run daemonset-revision-hash daemonset-sequence daemonset-single)
orrery_vector_test(node_lifecycle LINK orrery_control FAMILIES
  monitor zonestate tainteviction podgc)
orrery_vector_test(garbage_collector LINK orrery_control FAMILIES gc-delete gc-orphan)
orrery_vector_test(disruption LINK orrery_control FAMILIES pdb)
orrery_vector_test(endpoints LINK orrery_control FAMILIES endpoints endpointslices mirroring)
orrery_vector_test(volumes LINK orrery_control FAMILIES
  attach-detach attach-passes pvc-protection pv-protection volume-match volume-binder volume-syncs
  ephemeral-claims)
orrery_vector_test(sched LINK orrery_sched FAMILIES noderesourcesfit fitscoring balancedallocation tainttoleration
                   nodeaffinity nodename nodeunschedulable nodeports imagelocality cycle-edge mixed sequence churn sampling)

# The schema tables against the recorded facts they were made from.
find_package(Python3 REQUIRED COMPONENTS Interpreter)
add_test(NAME vectors.schema WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}
         COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/vectors/schema_facts.py ${CMAKE_SOURCE_DIR})
set_tests_properties(vectors.schema PROPERTIES LABELS vectors SKIP_RETURN_CODE 77)
orrery_vector_test(managed_fields FAMILIES apply json-patch strategic LINK orrery_server)
orrery_vector_test(auth LINK orrery_server FAMILIES authn rbac rbac-escalation impersonation access-reviews
                   node-authorizer token-requests token-claims)
orrery_vector_test(printing FAMILIES tables durations more-kinds columns text LINK orrery_server)
orrery_vector_test(validation FAMILIES admission create subresource validation LINK orrery_server)
orrery_vector_test(managed_steps FAMILIES applies patches creates LINK orrery_server)
orrery_vector_test(eviction FAMILIES eviction LINK orrery_server)
orrery_vector_test(quota FAMILIES admission calculate limitranger usage LINK orrery_server)
orrery_vector_test(openapi FAMILIES openapi LINK orrery_server)
