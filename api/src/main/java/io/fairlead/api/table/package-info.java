/** Objects of the API as text for people: tables and descriptions as kubectl prints them. */
@NullMarked
package io.fairlead.api.table;

import org.jspecify.annotations.NullMarked;
