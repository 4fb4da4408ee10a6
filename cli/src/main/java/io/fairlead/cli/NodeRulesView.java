package io.fairlead.cli;

import io.fairlead.api.table.Plain;
import io.fairlead.api.table.TextTable;
import io.fairlead.v1.NodeRulesHead;
import io.fairlead.v1.ProgrammedEndpoint;
import io.fairlead.v1.ProgrammedPort;
import io.fairlead.v1.RecordReference;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** How {@code fairlead node rules} shows what a node said. */
final class NodeRulesView {
  private static final String NONE = "<none>";

  private NodeRulesView() {}

  static String title(NodeRulesHead head) {
    var wanted = head.hasWanted() ? head.getWanted().getOffsets() : NONE;
    var programmed = head.hasProgrammed() ? head.getProgrammed().getOffsets() : NONE;
    return "node/%s: %s"
        .formatted(
            head.getNode(),
            wanted.equals(programmed)
                ? "programmed as of " + programmed
                : "programmed as of " + programmed + ", wanted as of " + wanted);
  }

  /** A row for each frontend, and one for each of its endpoints. */
  static TextTable table(List<ProgrammedPort> ports, boolean wide) {
    var rows = new ArrayList<List<String>>();
    for (var port : ports) {
      var row =
          new ArrayList<String>(
              List.of(frontend(port), service(port), does(port), "", "", record(port.getRecord())));
      if (wide) {
        row.add("");
        row.add(port.getWhy());
      }
      rows.add(row);
      for (var endpoint : port.getEndpointsList()) {
        var line =
            new ArrayList<String>(
                List.of(
                    "",
                    "",
                    slots(endpoint),
                    address(endpoint.getAddress()) + ":" + endpoint.getPort(),
                    object(endpoint),
                    records(endpoint)));
        if (wide) {
          line.add(endpoint.getNode().isEmpty() ? NONE : endpoint.getNode());
          line.add(conditions(endpoint));
        }
        rows.add(line);
      }
    }
    var heads =
        new ArrayList<String>(
            List.of("FRONTEND", "SERVICE", "DOES", "ENDPOINT", "OBJECT", "RECORD"));
    if (wide) {
      heads.add("NODE");
      heads.add("WHY");
    }
    return new TextTable(heads, rows);
  }

  /** What is not as it should be, a line each. */
  static List<String> notes(NodeRulesHead head, List<ProgrammedPort> ports) {
    var notes = new ArrayList<String>();
    for (var port : ports) {
      if (!port.getDifference().isEmpty()) {
        notes.add("Differs: " + frontend(port) + ": " + port.getDifference());
      }
      if (!port.getRefused().isEmpty()) {
        notes.add("Refused by the kernel: " + frontend(port) + ": " + port.getRefused());
      }
    }
    head.getDifferencesList().forEach(words -> notes.add("Differs: " + words));
    if (!head.getError().isEmpty()) {
      notes.add("The agent could not program it: " + head.getError());
    }
    return notes.stream().map(Plain::line).toList();
  }

  private static String frontend(ProgrammedPort port) {
    return address(port.getVip()) + ":" + port.getPort() + "/" + port.getProtocol();
  }

  static String address(String address) {
    return address.indexOf(':') >= 0 ? "[" + address + "]" : address;
  }

  private static String service(ProgrammedPort port) {
    if (!port.hasService()) {
      return NONE;
    }
    var name = port.getService().getNamespace() + "/" + port.getService().getName();
    return port.getPortName().isEmpty() ? name : name + ":" + port.getPortName();
  }

  private static String does(ProgrammedPort port) {
    var does =
        switch (port.getTreatment()) {
          case "" -> NONE;
          case "balance" -> port.getBalancing().isEmpty() ? "one endpoint" : port.getBalancing();
          default -> port.getTreatment();
        };
    return port.getAffinitySeconds() > 0
        ? does + ", affinity " + port.getAffinitySeconds() + "s"
        : does;
  }

  private static String slots(ProgrammedEndpoint endpoint) {
    if (endpoint.getSlotCount() == 0) {
      return "not used";
    }
    return endpoint.getSlotsCount() == 0
        ? endpoint.getSlotCount() + " slots"
        : "slot "
            + String.join(",", endpoint.getSlotsList().stream().map(String::valueOf).toList());
  }

  private static String object(ProgrammedEndpoint endpoint) {
    return endpoint.getName().isEmpty()
        ? NONE
        : endpoint.getKind().toLowerCase(Locale.ROOT) + "/" + endpoint.getName();
  }

  private static String records(ProgrammedEndpoint endpoint) {
    var record = record(endpoint.getRecord());
    return endpoint.hasReadiness()
        ? record + ", readiness " + record(endpoint.getReadiness())
        : record;
  }

  private static String record(RecordReference record) {
    if (record.getPartition().isEmpty()) {
      return NONE;
    }
    var text = record.getPartition() + "@" + record.getOffset();
    return record.getPending() ? text + " (not there yet)" : text;
  }

  private static String conditions(ProgrammedEndpoint endpoint) {
    if (endpoint.getUid().isEmpty()) {
      return "nobody has this address any more";
    }
    var conditions = new ArrayList<String>();
    conditions.add(endpoint.getReady() ? "ready" : "not ready");
    if (endpoint.getServing() && !endpoint.getReady()) {
      conditions.add("serving");
    }
    if (endpoint.getTerminating()) {
      conditions.add("terminating");
    }
    return String.join(", ", conditions);
  }

  // --- as a tree

  static Map<String, Object> tree(NodeRulesHead head, List<ProgrammedPort> ports) {
    var tree = new LinkedHashMap<String, Object>();
    tree.put("node", head.getNode());
    tree.put("wanted", head.getWanted().getOffsets());
    tree.put("programmed", head.getProgrammed().getOffsets());
    tree.put("differing", head.getDiffering());
    tree.put("differences", List.copyOf(head.getDifferencesList()));
    tree.put("error", head.getError());
    tree.put("frontends", ports.stream().map(NodeRulesView::tree).toList());
    return tree;
  }

  private static Map<String, Object> tree(ProgrammedPort port) {
    var tree = new LinkedHashMap<String, Object>();
    tree.put("vip", port.getVip());
    tree.put("protocol", port.getProtocol());
    tree.put("port", port.getPort());
    if (port.hasService()) {
      tree.put("namespace", port.getService().getNamespace());
      tree.put("service", port.getService().getName());
      tree.put("portName", port.getPortName());
    }
    tree.put("treatment", port.getTreatment());
    tree.put("balancing", port.getBalancing());
    tree.put("affinitySeconds", port.getAffinitySeconds());
    tree.put("why", port.getWhy());
    put(tree, "record", port.getRecord());
    tree.put("difference", port.getDifference());
    tree.put("refused", port.getRefused());
    tree.put("endpoints", port.getEndpointsList().stream().map(NodeRulesView::tree).toList());
    return tree;
  }

  private static Map<String, Object> tree(ProgrammedEndpoint endpoint) {
    var tree = new LinkedHashMap<String, Object>();
    tree.put("address", endpoint.getAddress());
    tree.put("port", endpoint.getPort());
    tree.put("slotCount", endpoint.getSlotCount());
    tree.put("slots", List.copyOf(endpoint.getSlotsList()));
    tree.put("kind", endpoint.getKind());
    tree.put("namespace", endpoint.getNamespace());
    tree.put("name", endpoint.getName());
    tree.put("uid", endpoint.getUid());
    tree.put("node", endpoint.getNode());
    tree.put("ready", endpoint.getReady());
    tree.put("serving", endpoint.getServing());
    tree.put("terminating", endpoint.getTerminating());
    put(tree, "record", endpoint.getRecord());
    put(tree, "readinessRecord", endpoint.getReadiness());
    return tree;
  }

  private static void put(Map<String, Object> tree, String key, RecordReference record) {
    if (!record.getPartition().isEmpty()) {
      tree.put(key, record.getPartition() + "@" + record.getOffset());
      if (record.getPending()) {
        tree.put(key + "Pending", true);
      }
    }
  }
}
