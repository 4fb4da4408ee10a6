package io.fairlead.api.manifest;

import com.google.protobuf.Timestamp;
import io.fairlead.api.manifest.ManifestObject.OfEndpointSlice;
import io.fairlead.api.manifest.ManifestObject.OfNamespace;
import io.fairlead.api.manifest.ManifestObject.OfPod;
import io.fairlead.api.manifest.ManifestObject.OfService;
import io.fairlead.api.manifest.ManifestObject.OfServiceCidr;
import io.fairlead.v1.ObjectMeta;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.Tag;

/**
 * Reads Kubernetes manifests: {@code v1} Service, Pod, Namespace and List (also ServiceList,
 * PodList, NamespaceList), {@code networking.k8s.io/v1} ServiceCIDR and {@code discovery.k8s.io/v1}
 * EndpointSlice, any number of documents. Only the form is checked here, strictly; what the values
 * mean the server checks. Fields of Pods that Kubernetes knows and that have no meaning here are
 * warnings, all others are faults.
 */
public final class Manifests {
  private static final Set<String> SET_BY_SERVERS =
      Set.of(
          "deletionGracePeriodSeconds",
          "deletionTimestamp",
          "generation",
          "managedFields",
          "selfLink");
  private static final Set<String> KINDS =
      Set.of("Service", "Pod", "Namespace", "List", "ServiceList", "PodList", "NamespaceList");
  private static final String NETWORKING = "networking.k8s.io/v1";
  private static final Set<String> NETWORKING_KINDS = Set.of("ServiceCIDR", "ServiceCIDRList");
  private static final String DISCOVERY = "discovery.k8s.io/v1";
  private static final Set<String> DISCOVERY_KINDS = Set.of("EndpointSlice", "EndpointSliceList");
  private static final Set<String> META_IGNORED = Set.of("finalizers", "ownerReferences");

  private Manifests() {}

  /**
   * An object and where it begins.
   *
   * @param line from 1
   */
  public record Item(ManifestObject object, String source, int line) {}

  /**
   * What a source holds.
   *
   * @param items in the order of the text; those with faults too
   * @param faults where there is one, nothing of the source should be used
   */
  public record Read(List<Item> items, List<Note> faults, List<Note> warnings) {
    public Read {
      items = List.copyOf(items);
      faults = List.copyOf(faults);
      warnings = List.copyOf(warnings);
    }
  }

  /**
   * Never fails: what is wrong is among the faults, all of it.
   *
   * @param source what people know the text by, e.g. a file name
   */
  public static Read read(String source, String text) {
    var notes = new Notes(source);
    var items = new ArrayList<Item>();
    try {
      for (var root : YamlDocuments.read(source, text, notes)) {
        if (!root.getTag().equals(Tag.NULL)) { // an empty document, e.g. after a last ---
          object(root, "", source, notes, items);
        }
      }
    } catch (Notes.TooMuchException e) {
      notes.fault(1, "", String.valueOf(e.getMessage()));
    }
    return new Read(items, notes.faults(), notes.warnings());
  }

  private static void object(Node node, String path, String source, Notes notes, List<Item> items) {
    var opened = YamlObject.of(node, path, notes);
    if (opened.isEmpty()) {
      return;
    }
    var object = opened.get();
    var version = object.text("apiVersion");
    var kind = object.text("kind");
    if (kind.isEmpty() || version.isEmpty()) {
      object.fault(
          kind.isEmpty() ? "kind" : "apiVersion",
          "Required value: e.g. apiVersion: v1, kind: Service");
      return;
    }
    var name = object.peek("metadata", "name");
    if (group(kind).filter(version::equals).isEmpty()) {
      notes.fault(object.line("kind"), "", OtherKinds.words(version, kind, name));
      return;
    }
    notes.about(new Note.Subject(kind, name, object.line()));
    Optional<ManifestObject> read =
        switch (kind) {
          case "Service" -> Optional.of(new OfService(ServiceManifest.read(object)));
          case "Pod" -> Optional.of(new OfPod(PodManifest.read(object)));
          case "Namespace" -> Optional.of(new OfNamespace(NamespaceManifest.read(object)));
          case "EndpointSlice" ->
              Optional.of(new OfEndpointSlice(EndpointSliceManifest.read(object)));
          case "ServiceCIDR" -> Optional.of(new OfServiceCidr(ServiceCidrManifest.read(object)));
          default -> {
            notes.aboutNone();
            if (path.isEmpty()) {
              list(object, source, notes, items);
            } else {
              object.fault("kind", "Forbidden: a List in a List");
            }
            yield Optional.empty();
          }
        };
    notes.aboutNone();
    read.ifPresent(o -> items.add(new Item(o, source, object.line())));
  }

  /** The apiVersion of a kind that can be applied. */
  private static Optional<String> group(String kind) {
    if (KINDS.contains(kind)) {
      return Optional.of("v1");
    }
    if (NETWORKING_KINDS.contains(kind)) {
      return Optional.of(NETWORKING);
    }
    return DISCOVERY_KINDS.contains(kind) ? Optional.of(DISCOVERY) : Optional.empty();
  }

  private static void list(YamlObject list, String source, Notes notes, List<Item> items) {
    list.ignoreSilently(Set.of("metadata"));
    int i = 0;
    for (var element : list.nodes("items")) {
      object(element, "items[" + i++ + "]", source, notes, items);
    }
    list.done();
  }

  static ObjectMeta meta(YamlObject object) {
    var proto = ObjectMeta.newBuilder();
    var read = object.object("metadata");
    if (read.isEmpty()) {
      if (!object.has("metadata")) {
        object.fault("metadata", "Required value: with a name");
      }
      return proto.build();
    }
    var meta = read.get();
    proto
        .setName(meta.text("name"))
        .setNamespace(meta.text("namespace"))
        .setGenerateName(meta.text("generateName"))
        .setUid(meta.text("uid"))
        .setResourceVersion(meta.text("resourceVersion"))
        .putAllLabels(meta.texts("labels"))
        .putAllAnnotations(meta.texts("annotations"));
    var created = meta.anyScalar("creationTimestamp");
    if (!created.isEmpty()) {
      try {
        var instant = Instant.parse(created);
        proto.setCreationTimestamp(
            Timestamp.newBuilder()
                .setSeconds(instant.getEpochSecond())
                .setNanos(instant.getNano()));
      } catch (DateTimeParseException _) {
        meta.fault("creationTimestamp", "Invalid value: must be a time like 2026-11-01T10:15:30Z");
      }
    }
    meta.ignoreSilently(SET_BY_SERVERS);
    meta.ignore(META_IGNORED);
    meta.done();
    return proto.build();
  }
}
