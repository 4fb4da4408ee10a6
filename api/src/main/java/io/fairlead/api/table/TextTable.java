package io.fairlead.api.table;

import java.util.ArrayList;
import java.util.List;

/** Rows under heads, padded with blanks, three between the columns. Cells hold no line breaks. */
public record TextTable(List<String> heads, List<List<String>> rows) {
  /** Whether the heads are printed. */
  public enum Heads {
    SHOWN,
    HIDDEN
  }

  public TextTable {
    heads = List.copyOf(heads);
    rows = rows.stream().map(List::copyOf).toList();
    for (var row : rows) {
      if (row.size() != heads.size()) {
        throw new IllegalArgumentException("row " + row + " under heads " + heads);
      }
    }
  }

  /** With one more column in front. */
  TextTable behind(String head, List<String> cells) {
    var widerHeads = new ArrayList<String>();
    widerHeads.add(head);
    widerHeads.addAll(heads);
    var widerRows = new ArrayList<List<String>>();
    for (int i = 0; i < rows.size(); i++) {
      var row = new ArrayList<String>();
      row.add(cells.get(i));
      row.addAll(rows.get(i));
      widerRows.add(row);
    }
    return new TextTable(widerHeads, widerRows);
  }

  /** With one more column at the end. */
  public TextTable with(String head, List<String> cells) {
    var more = new ArrayList<List<String>>();
    for (int i = 0; i < rows.size(); i++) {
      var row = new ArrayList<>(rows.get(i));
      row.add(cells.get(i));
      more.add(row);
    }
    var moreHeads = new ArrayList<>(heads);
    moreHeads.add(head);
    return new TextTable(moreHeads, more);
  }

  /** With {@code pod/} before each name, as where several kinds are shown together. */
  public TextTable named(String prefix) {
    int column = heads.indexOf("NAME");
    return new TextTable(
        heads,
        rows.stream()
            .map(row -> {
              var named = new ArrayList<>(row);
              named.set(column, prefix + row.get(column));
              return List.copyOf(named);
            })
            .toList());
  }

  /** Only the first so many columns. */
  TextTable first(int columns) {
    return new TextTable(
        heads.subList(0, columns), rows.stream().map(row -> row.subList(0, columns)).toList());
  }

  /** Each line ends with a line break and has no blanks before it. */
  public String text(Heads shown) {
    return text(shown, new int[heads.size()]);
  }

  /** Prints tables of the same columns one below the other: columns grow, but never shrink. */
  public static final class Growing {
    private int[] widths = new int[0];

    /** As {@link TextTable#text}, at least as wide as what was printed before. */
    public String text(TextTable table, Heads shown) {
      if (widths.length != table.heads().size()) {
        widths = new int[table.heads().size()];
      }
      return table.text(shown, widths);
    }
  }

  /**
   * @param widths of the columns, at least; set to what they became
   */
  private String text(Heads shown, int[] widths) {
    var lines = new ArrayList<List<String>>();
    if (shown == Heads.SHOWN) {
      lines.add(heads);
    }
    lines.addAll(rows);
    for (var line : lines) {
      for (int column = 0; column < widths.length; column++) {
        widths[column] = Math.max(widths[column], line.get(column).length());
      }
    }
    var text = new StringBuilder();
    for (var line : lines) {
      var row = new StringBuilder();
      for (int column = 0; column < widths.length; column++) {
        var cell = line.get(column);
        row.append(cell).repeat(' ', widths[column] - cell.length() + 3);
      }
      text.append(row.toString().stripTrailing()).append('\n');
    }
    return text.toString();
  }
}
