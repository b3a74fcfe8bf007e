"""The language of topologies: campuses, links, aging and timelines, from forms to typed objects."""
