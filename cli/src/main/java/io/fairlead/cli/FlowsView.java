package io.fairlead.cli;

import static io.fairlead.cli.NodeRulesView.address;

import io.fairlead.api.Timestamps;
import io.fairlead.api.table.TextTable;
import io.fairlead.v1.Flow;
import io.fairlead.v1.FlowCount;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** How {@code fairlead node trace} shows connections. */
final class FlowsView {
  private static final String NONE = "<none>";

  private FlowsView() {}

  static TextTable table(List<Flow> flows, boolean wide) {
    var rows = new ArrayList<List<String>>();
    for (var flow : flows) {
      var row =
          new ArrayList<String>(
              List.of(
                  flow.getProtocol(),
                  address(flow.getClient()) + ":" + flow.getClientPort(),
                  address(flow.getVip()) + ":" + flow.getPort(),
                  flow.getTranslated()
                      ? address(flow.getEndpoint()) + ":" + flow.getEndpointPort()
                      : "not translated",
                  object(flow),
                  flow.getState(),
                  flow.getTimeoutSeconds() + "s",
                  flow.getMasqueraded()
                      ? address(flow.getSource()) + ":" + flow.getSourcePort()
                      : "itself"));
      if (wide) {
        row.add(
            flow.hasService()
                ? flow.getService().getNamespace() + "/" + flow.getService().getName()
                : NONE);
        row.add(flow.getNode().isEmpty() ? NONE : flow.getNode());
        row.add(flow.hasSent() ? count(flow.getSent()) : NONE);
        row.add(flow.hasReceived() ? count(flow.getReceived()) : NONE);
        row.add(flow.hasSince() ? Timestamps.model(flow.getSince()).toString() : NONE);
      }
      rows.add(row);
    }
    var heads =
        new ArrayList<String>(
            List.of(
                "PROTOCOL",
                "CLIENT",
                "FRONTEND",
                "ENDPOINT",
                "OBJECT",
                "STATE",
                "EXPIRES",
                "SEEN AS"));
    if (wide) {
      heads.addAll(List.of("SERVICE", "NODE", "SENT", "RECEIVED", "SINCE"));
    }
    return new TextTable(heads, rows);
  }

  private static String object(Flow flow) {
    if (!flow.getName().isEmpty()) {
      return flow.getKind().toLowerCase(Locale.ROOT) + "/" + flow.getName();
    }
    return flow.getTranslated() && flow.getUid().isEmpty() ? "no endpoint any more" : NONE;
  }

  private static String count(FlowCount count) {
    return count.getPackets() + " packets, " + count.getBytes() + " bytes";
  }

  static Map<String, Object> tree(String node, List<Flow> flows, boolean more) {
    var tree = new LinkedHashMap<String, Object>();
    tree.put("node", node);
    tree.put("flows", flows.stream().map(FlowsView::tree).toList());
    tree.put("more", more);
    return tree;
  }

  private static Map<String, Object> tree(Flow flow) {
    var tree = new LinkedHashMap<String, Object>();
    tree.put("protocol", flow.getProtocol());
    tree.put("client", flow.getClient());
    tree.put("clientPort", flow.getClientPort());
    tree.put("vip", flow.getVip());
    tree.put("port", flow.getPort());
    tree.put("namespace", flow.getService().getNamespace());
    tree.put("service", flow.getService().getName());
    tree.put("translated", flow.getTranslated());
    tree.put("endpoint", flow.getEndpoint());
    tree.put("endpointPort", flow.getEndpointPort());
    tree.put("kind", flow.getKind());
    tree.put("name", flow.getName());
    tree.put("uid", flow.getUid());
    tree.put("node", flow.getNode());
    tree.put("masqueraded", flow.getMasqueraded());
    tree.put("source", flow.getSource());
    tree.put("sourcePort", flow.getSourcePort());
    tree.put("state", flow.getState());
    tree.put("timeoutSeconds", flow.getTimeoutSeconds());
    if (flow.hasSent()) {
      tree.put("sentPackets", flow.getSent().getPackets());
      tree.put("sentBytes", flow.getSent().getBytes());
    }
    if (flow.hasReceived()) {
      tree.put("receivedPackets", flow.getReceived().getPackets());
      tree.put("receivedBytes", flow.getReceived().getBytes());
    }
    if (flow.hasSince()) {
      tree.put("since", Timestamps.model(flow.getSince()).toString());
    }
    return tree;
  }
}
