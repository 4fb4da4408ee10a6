package io.fairlead.core.image;

import io.fairlead.core.model.ObjectName;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeSet;
import org.pcollections.HashPMap;
import org.pcollections.HashTreePMap;
import org.pcollections.TreePSet;

/**
 * Services by their selectors, the other way round than usual: given a Pod's labels, which Services
 * want it? A trie over the sorted pairs of each selector, so that a question costs the distinct
 * prefixes that match, not the Services there are: a thousand selectors that share {@code app=shop}
 * and differ in a second pair cost one step plus one look-up for each label. Immutable.
 */
record SelectorTrie(HashPMap<Path, SelectorTrie.Branch> branches) {
  static final SelectorTrie EMPTY = new SelectorTrie(HashTreePMap.empty());

  /** A prefix of a selector: namespace, then key, value, key, value... */
  record Path(List<String> texts) {
    Path then(String key, String value) {
      var longer = new ArrayList<>(texts);
      longer.add(key);
      longer.add(value);
      return new Path(List.copyOf(longer));
    }
  }

  /**
   * @param here Services whose whole selector this is
   * @param through number of Services whose selector begins so, these included
   */
  record Branch(TreePSet<ObjectName> here, int through) {
    static final Branch NONE = new Branch(TreePSet.empty(), 0);
  }

  SelectorTrie plus(ObjectName service, SortedMap<String, String> selector) {
    return changed(service, selector, 1);
  }

  SelectorTrie minus(ObjectName service, SortedMap<String, String> selector) {
    return changed(service, selector, -1);
  }

  private SelectorTrie changed(ObjectName service, SortedMap<String, String> selector, int by) {
    if (selector.isEmpty()) {
      return this;
    }
    var map = branches;
    var path = new Path(List.of(service.namespace()));
    int left = selector.size();
    for (var pair : selector.entrySet()) {
      path = path.then(pair.getKey(), pair.getValue());
      left--;
      var branch = map.getOrDefault(path, Branch.NONE);
      var here = branch.here();
      if (left == 0) {
        here = by > 0 ? here.plus(service) : here.minus(service);
      }
      int through = branch.through() + by;
      map = through == 0 ? map.minus(path) : map.plus(path, new Branch(here, through));
    }
    return new SelectorTrie(map);
  }

  /** Services of the namespace whose selector is a part of those labels, sorted. */
  SortedSet<ObjectName> selecting(String namespace, SortedMap<String, String> labels) {
    var found = new TreeSet<ObjectName>();
    collect(new Path(List.of(namespace)), List.copyOf(labels.entrySet()), found);
    return found;
  }

  private void collect(
      Path path, List<Map.Entry<String, String>> labels, SortedSet<ObjectName> found) {
    for (int i = 0; i < labels.size(); i++) {
      var next = path.then(labels.get(i).getKey(), labels.get(i).getValue());
      var branch = Optional.ofNullable(branches.get(next));
      if (branch.isPresent()) {
        found.addAll(branch.get().here());
        collect(next, labels.subList(i + 1, labels.size()), found);
      }
    }
  }
}
