"""Legacy path of ``GraphComponent``."""

from clara_compat.common.graph_component import GraphComponent as GraphComponent
