package io.fairlead.api.manifest;

import io.fairlead.v1.Allocation;
import io.fairlead.v1.EndpointSlice;
import io.fairlead.v1.Namespace;
import io.fairlead.v1.Node;
import io.fairlead.v1.Pod;
import io.fairlead.v1.Reservation;
import io.fairlead.v1.Service;
import io.fairlead.v1.ServiceCidr;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Pattern;
import org.snakeyaml.engine.v2.api.Dump;
import org.snakeyaml.engine.v2.api.DumpSettings;
import org.snakeyaml.engine.v2.common.FlowStyle;
import org.snakeyaml.engine.v2.common.ScalarStyle;
import org.snakeyaml.engine.v2.nodes.Tag;
import org.snakeyaml.engine.v2.representer.StandardRepresenter;

/** Writes objects as Kubernetes manifests; {@link Manifests} reads them again. */
public final class ManifestWriter {
  private ManifestWriter() {}

  /** The tree of an object: maps, lists, texts, numbers and truths. */
  public static Map<String, Object> tree(Service service) {
    return ServiceManifest.tree(service);
  }

  public static Map<String, Object> tree(Pod pod) {
    return PodManifest.tree(pod);
  }

  public static Map<String, Object> tree(Node node) {
    return NodeManifest.tree(node);
  }

  public static Map<String, Object> tree(EndpointSlice slice) {
    return EndpointSliceManifest.tree(slice);
  }

  public static Map<String, Object> tree(Namespace namespace) {
    return NamespaceManifest.tree(namespace);
  }

  public static Map<String, Object> tree(ServiceCidr cidr) {
    return ServiceCidrManifest.tree(cidr);
  }

  /** As {@code networking.k8s.io/v1} IPAddress. */
  public static Map<String, Object> tree(Allocation allocation) {
    return ServiceCidrManifest.tree(allocation);
  }

  public static Map<String, Object> tree(Reservation reservation) {
    return ReservationManifest.tree(reservation);
  }

  /** A {@code v1} List of such trees. */
  public static Map<String, Object> list(List<Map<String, Object>> items) {
    var list = new LinkedHashMap<String, Object>();
    list.put("apiVersion", "v1");
    list.put("items", items);
    list.put("kind", "List");
    list.put("metadata", Map.of("resourceVersion", ""));
    return list;
  }

  /** Ends with a line break. */
  public static String yaml(Map<String, Object> tree) {
    var settings =
        DumpSettings.builder()
            .setDefaultFlowStyle(FlowStyle.BLOCK)
            .setDereferenceAliases(true)
            .setIndicatorIndent(0)
            .setWidth(4096)
            .build();
    return new Dump(settings, new PlainOrQuoted(settings)).dumpToString(tree);
  }

  /**
   * Texts that some reader of YAML, of whichever version, would take for something else are in
   * double quotes, as kubectl writes them.
   */
  private static final class PlainOrQuoted extends StandardRepresenter {
    private static final Pattern AMBIGUOUS =
        Pattern.compile(
            "|~|(?i:null|y|n|yes|no|on|off|true|false|[-+]?\\.inf|\\.nan)"
                + "|[-+]?(0x[0-9a-fA-F_]+|0o?[0-7_]+|0b[01_]+|[0-9][0-9_]*(:[0-5]?[0-9])*)"
                + "|[-+]?(\\.[0-9]+|[0-9]+(\\.[0-9]*)?)([eE][-+]?[0-9]+)?"
                + "|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt ].*)?");

    PlainOrQuoted(DumpSettings settings) {
      super(settings);
      var standard = Objects.requireNonNull(representers.get(String.class));
      representers.put(
          String.class,
          data ->
              AMBIGUOUS.matcher(data.toString()).matches()
                  ? representScalar(Tag.STR, data.toString(), ScalarStyle.DOUBLE_QUOTED)
                  : standard.representData(data));
    }
  }

  /** Indented by four, as kubectl does; ends with a line break. */
  public static String json(Map<String, Object> tree) {
    var text = new StringBuilder();
    json(tree, 0, text);
    return text.append('\n').toString();
  }

  private static void json(Object value, int depth, StringBuilder text) {
    switch (value) {
      case Map<?, ?> map -> {
        if (map.isEmpty()) {
          text.append("{}");
          return;
        }
        char separator = '{';
        for (var entry : map.entrySet()) {
          text.append(separator).append('\n').repeat("    ", depth + 1);
          quote(entry.getKey().toString(), text);
          text.append(": ");
          json(entry.getValue(), depth + 1, text);
          separator = ',';
        }
        text.append('\n').repeat("    ", depth).append('}');
      }
      case List<?> list -> {
        if (list.isEmpty()) {
          text.append("[]");
          return;
        }
        char separator = '[';
        for (var element : list) {
          text.append(separator).append('\n').repeat("    ", depth + 1);
          json(element, depth + 1, text);
          separator = ',';
        }
        text.append('\n').repeat("    ", depth).append(']');
      }
      case String string -> quote(string, text);
      default -> text.append(value); // numbers and truths
    }
  }

  /** RFC 8259, section 7. */
  private static void quote(String string, StringBuilder text) {
    text.append('"');
    for (int i = 0; i < string.length(); i++) {
      char c = string.charAt(i);
      switch (c) {
        case '"' -> text.append("\\\"");
        case '\\' -> text.append("\\\\");
        case '\n' -> text.append("\\n");
        case '\r' -> text.append("\\r");
        case '\t' -> text.append("\\t");
        default -> {
          // kubectl escapes those three too, so that it may stand in HTML
          if (c < ' ' || c == '<' || c == '>' || c == '&') {
            text.append("\\u%04x".formatted((int) c));
          } else {
            text.append(c);
          }
        }
      }
    }
    text.append('"');
  }
}
