package io.fairlead.api.manifest;

/** What is said of kinds that are not applied here: what to do instead. */
final class OtherKinds {
  private static final String NO_TEMPLATES =
      "is not supported: nothing here makes Pods of a template; apply its Pods, spec.template as kind: Pod, one for each ";

  private OtherKinds() {}

  /** A sentence that begins with the kind and the name. */
  static String words(String apiVersion, String kind, String name) {
    var title = name.isEmpty() ? kind : kind + " \"" + name + '"';
    return title
        + " "
        + switch (kind) {
          case "Deployment", "ReplicaSet", "ReplicationController" -> NO_TEMPLATES + "replica";
          case "StatefulSet" ->
              NO_TEMPLATES
                  + "replica, with spec.hostname and spec.subdomain for their names in DNS";
          case "DaemonSet" -> NO_TEMPLATES + "node, with spec.nodeName";
          case "Job", "CronJob" ->
              "is not supported: apply its Pod with restartPolicy: OnFailure or Never";
          case "Endpoints" ->
              "cannot be applied: endpoints are derived from the Pods that a Service selects; for what no node here runs, "
                  + "apply a Service without a selector and an EndpointSlice, or a Service of type ExternalName";
          case "EndpointSlice" ->
              "of " + apiVersion + " is not supported: apiVersion must be discovery.k8s.io/v1";
          case "IPAddress" ->
              "cannot be applied: an address is given out with its Service, see fairlead get allocations";
          case "ServiceCIDR" ->
              "of " + apiVersion + " is not supported: apiVersion must be networking.k8s.io/v1";
          case "Node" ->
              "cannot be applied: a node is there when its agent runs, and NotReady when that is gone";
          case "ConfigMap", "Secret" ->
              "is not supported: put the values into env of the containers, or into files of the node";
          case "Gateway", "HTTPRoute", "Ingress", "IngressClass" ->
              "is not supported: Services are for the nodes and their Pods; for what comes from outside, run a proxy as a Pod";
          case "NetworkPolicy" ->
              "is not supported: every node and every Pod may use every Service";
          case "PersistentVolume", "PersistentVolumeClaim", "StorageClass" ->
              "is not supported: Pods have no volumes here; they see the files of their node";
          case "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding", "ServiceAccount" ->
              "is not supported: there are no accounts and no rights here";
          case "List", "Namespace", "Pod", "Service" ->
              "of " + apiVersion + " is not supported: apiVersion must be v1";
          default ->
              "("
                  + apiVersion
                  + ") is not supported: apply takes Service, Pod, Namespace and List, all of v1, EndpointSlice of discovery.k8s.io/v1, and ServiceCIDR of networking.k8s.io/v1";
        };
  }
}
