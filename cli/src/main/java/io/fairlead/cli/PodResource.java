package io.fairlead.cli;

import io.fairlead.api.manifest.ManifestWriter;
import io.fairlead.api.table.Descriptions;
import io.fairlead.api.table.Tables;
import io.fairlead.api.table.Tables.Namespaces;
import io.fairlead.api.table.Tables.Width;
import io.fairlead.api.table.TextTable;
import io.fairlead.v1.DeletePodRequest;
import io.fairlead.v1.Freshness;
import io.fairlead.v1.GetPodRequest;
import io.fairlead.v1.ListPodsRequest;
import io.fairlead.v1.ObjectMeta;
import io.fairlead.v1.Pod;
import java.time.Instant;
import java.util.List;
import java.util.Map;

/** Pods, of endpoints-service. */
record PodResource() implements Resource<Pod> {
  @Override
  public List<String> names() {
    return List.of("pods", "pod", "po");
  }

  @Override
  public boolean isNamespaced() {
    return true;
  }

  @Override
  public Pod get(Session session, String namespace, String name, Freshness freshness) {
    var request =
        GetPodRequest.newBuilder()
            .setNamespace(namespace)
            .setName(name)
            .setFreshness(freshness)
            .build();
    return session.pods(stub -> stub.get(request)).getPod();
  }

  @Override
  public List<Pod> list(Session session, String namespace, String selector, Freshness freshness) {
    var request =
        ListPodsRequest.newBuilder()
            .setNamespace(namespace)
            .setLabelSelector(selector)
            .setFreshness(freshness)
            .build();
    return session.pods(stub -> stub.list(request)).getItemsList();
  }

  @Override
  public void delete(Session session, String namespace, String name, Deletion how) {
    var request =
        DeletePodRequest.newBuilder()
            .setRequestId(session.requestId())
            .setNamespace(namespace)
            .setName(name);
    how.grace()
        .ifPresent(grace -> request.setGracePeriodSeconds(Math.toIntExact(grace.toSeconds())));
    session.pods(stub -> stub.delete(request.build()));
  }

  @Override
  public ObjectMeta meta(Pod pod) {
    return pod.getMetadata();
  }

  @Override
  public Map<String, Object> tree(Pod pod) {
    return ManifestWriter.tree(pod);
  }

  @Override
  public TextTable table(List<Pod> pods, Width width, Namespaces namespaces, Instant now) {
    return Tables.pods(pods, width, namespaces, now);
  }

  @Override
  public String describe(Session session, Pod pod) {
    return Descriptions.of(pod, session.time().now());
  }
}
