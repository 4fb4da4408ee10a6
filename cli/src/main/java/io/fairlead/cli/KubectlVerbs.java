package io.fairlead.cli;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What to do instead of verbs of kubectl, and of others that people try, that are not here. */
final class KubectlVerbs {
  private static final String CHANGE =
      "fairlead get TYPE NAME -o yaml > FILE, change it, then fairlead apply -f FILE";
  private static final String NO_WORKLOADS =
      "there are no Deployments here: apply a Pod for each replica";
  private static final String NO_SCHEDULER =
      "nothing schedules Pods here: spec.nodeName says where one runs, fairlead drain pod NAME takes the traffic from it";
  private static final String REACH =
      "addresses of Services and Pods are reached from the nodes: fairlead exec POD -- curl http://SERVICE";
  private static final String EXEC = "fairlead exec POD -- COMMAND runs a program in a container";
  private static final String NO_USERS = "there are no users and roles here";
  private static final String TYPES =
      "fairlead get --help names the types; manifests are Kubernetes' own";
  private static final Map<String, String> INSTEAD = instead();

  private KubectlVerbs() {}

  /** A sentence about it; empty where nobody would expect that verb. */
  static Optional<String> instead(String verb) {
    return Optional.ofNullable(INSTEAD.get(verb));
  }

  private static Map<String, String> instead() {
    var instead = new HashMap<String, String>();
    all(instead, CHANGE, "edit", "patch", "label", "annotate", "set");
    all(instead, NO_WORKLOADS, "scale", "autoscale");
    all(
        instead,
        "there are no Deployments here: apply the new Pods, fairlead wait for them, then fairlead drain pod and delete the old ones",
        "rollout");
    all(instead, NO_SCHEDULER, "cordon", "uncordon", "taint");
    all(instead, REACH, "port-forward", "proxy");
    all(instead, EXEC, "attach", "debug");
    all(instead, NO_USERS, "auth", "certificate");
    all(instead, TYPES, "api-resources", "api-versions");
    instead.put(
        "explain",
        "docs/services.md, docs/pods.md and docs/endpointslices.md tell what fields mean here");
    instead.put(
        "expose",
        "write a Service whose selector has the Pods' labels and fairlead apply -f it, see examples/backend.yaml");
    instead.put(
        "run",
        "write a Pod with spec.nodeName and fairlead apply -f it, see examples/clients.yaml");
    instead.put(
        "cp",
        "fairlead exec -i POD -- sh -c 'cat > FILE' < FILE, or fairlead exec POD -- cat FILE > FILE");
    instead.put(
        "top",
        "containers are processes of their node: use top there; /metrics has Fairlead's own figures");
    instead.put(
        "events",
        "fairlead log tail shows what happened, fairlead describe TYPE NAME how an object is");
    instead.put("diff", "fairlead apply --dry-run=server -f FILE says what would be changed");
    instead.put("kustomize", "kustomize build DIRECTORY | fairlead apply -f -");
    instead.put(
        "config",
        "--context, --allocator and --endpoints, or their variables, say which deployment is meant");
    instead.put("cluster-info", "fairlead get nodes and fairlead log status");
    instead.put("status", "fairlead get nodes and fairlead log status");
    instead.put("ps", "fairlead get pods");
    instead.put("list", "fairlead get TYPE");
    instead.put("rm", "fairlead delete TYPE NAME");
    instead.put("start", "fairlead up -d");
    instead.put("stop", "fairlead down");
    return Map.copyOf(instead);
  }

  private static void all(Map<String, String> instead, String sentence, String... verbs) {
    List.of(verbs).forEach(verb -> instead.put(verb, sentence));
  }
}
