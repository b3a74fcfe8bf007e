"""A learning switch as Ryu's users write it: what a controller has learned, switches are told."""

from ryu.base import app_manager
from ryu.controller import ofp_event
from ryu.controller.handler import CONFIG_DISPATCHER, MAIN_DISPATCHER, set_ev_cls
from ryu.lib.packet import ethernet, packet
from ryu.ofproto import ofproto_v1_3


class LearningSwitch(app_manager.RyuApp):
    OFP_VERSIONS = [ofproto_v1_3.OFP_VERSION]  # noqa: RUF012

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.places = {}

    @set_ev_cls(ofp_event.EventOFPSwitchFeatures, CONFIG_DISPATCHER)
    def on_switch(self, event):
        datapath = event.msg.datapath
        ofproto, parser = datapath.ofproto, datapath.ofproto_parser
        to_us = parser.OFPActionOutput(ofproto.OFPP_CONTROLLER, ofproto.OFPCML_NO_BUFFER)
        self.logger.info("switch %016x", datapath.id)
        self.add(datapath, 0, parser.OFPMatch(), to_us)

    def add(self, datapath, priority, match, action):
        parser = datapath.ofproto_parser
        apply = datapath.ofproto.OFPIT_APPLY_ACTIONS
        instructions = [parser.OFPInstructionActions(apply, [action])]
        datapath.send_msg(
            parser.OFPFlowMod(
                datapath=datapath, priority=priority, match=match, instructions=instructions
            )
        )

    @set_ev_cls(ofp_event.EventOFPPacketIn, MAIN_DISPATCHER)
    def on_packet(self, event):
        message = event.msg
        datapath, port = message.datapath, message.match["in_port"]
        ofproto, parser = datapath.ofproto, datapath.ofproto_parser
        frame = packet.Packet(message.data).get_protocol(ethernet.ethernet)
        if frame.dst.startswith("01:80:c2"):
            return
        self.places[datapath.id, frame.src] = port
        out = self.places.get((datapath.id, frame.dst), ofproto.OFPP_FLOOD)
        action = parser.OFPActionOutput(out)
        if out != ofproto.OFPP_FLOOD:
            match = parser.OFPMatch(in_port=port, eth_dst=frame.dst)
            self.add(datapath, 1, match, action)
        datapath.send_msg(
            parser.OFPPacketOut(
                datapath=datapath,
                buffer_id=ofproto.OFP_NO_BUFFER,
                in_port=port,
                actions=[action],
                data=message.data,
            )
        )
