#pragma once

// Floor 6: what one run of a graph is made of: strands, queues, workers.

#include <agdf/detail/fmt.hpp>
#include <agdf/detail/graph_core.hpp>
#include <agdf/start.hpp>

#include <cstddef>
#include <memory>
#include <unordered_set>
#include <utility>
#include <vector>

namespace agdf::detail {

/// The lanes of a run, its nodes and their workers, made from a blueprint.
class RunNodes {
public:
    RunNodes(RunState& run, const Blueprint& blueprint, const std::vector<Strand>& strands) : blueprint_(blueprint)
    {
        const bool shared = strands.size() > 1;
        for (const Strand& strand : strands)
            lanes_.push_back(std::make_shared<Lane>(strand, shared));
        workers_.resize(lanes_.size());
        make_nodes(run);
        connect_nodes();
    }

    RunNodes(const RunNodes&) = delete;
    RunNodes& operator=(const RunNodes&) = delete;
    /// What a body keeps may be given back to its node, or to another of its inputs, when its frame goes.
    ~RunNodes()
    {
        for (const auto& lane : lanes_)
            lane->abandon();  // a worker that had no memory to go to sleep may have been woken all the same
        for (const auto& node : nodes_)
            node->drop_workers();
    }

    [[nodiscard]] const std::vector<std::shared_ptr<Lane>>& lanes() const noexcept { return lanes_; }
    [[nodiscard]] std::size_t size() const noexcept { return nodes_.size(); }
    [[nodiscard]] NodeRun& node(std::size_t index) noexcept { return *nodes_[index]; }
    [[nodiscard]] const NodeSpec& spec(std::size_t index) const noexcept { return *specs_[index]; }
    /// The workers on one lane.
    [[nodiscard]] const std::vector<WorkerBase*>& workers_on(std::size_t lane) const noexcept { return workers_[lane]; }

    [[nodiscard]] std::size_t worker_count() const noexcept
    {
        std::size_t count = 0;
        for (const auto& workers : workers_)
            count += workers.size();
        return count;
    }

    [[nodiscard]] std::vector<NodeStats> stats() const
    {
        std::vector<NodeStats> all;
        all.reserve(nodes_.size());
        for (const auto& node : nodes_)
            all.push_back(node->stats());
        return all;
    }

    /// Puts the start items in their places.
    ///
    /// Errors: throws GraphError if the graph cannot run with them.
    void start(const StartItems& items)
    {
        std::vector<bool> started(nodes_.size());
        std::unordered_set<const StartValue*> seen;
        for (const StartItem& item : items) {  // all of them first: an item that has been moved is gone
            const std::size_t index = item.node_of(blueprint_);
            check_start(index, item.value());
            if (item.value() && item.value()->is_for_one_use() && !seen.insert(item.value()).second)
                refuse_start_item(nodes_[index]->name());
            started[index] = true;
        }
        std::vector<std::size_t> begin_by_themselves;
        for (std::size_t i = 0; i < nodes_.size(); ++i) {
            if (blueprint_.has_producers(i) || started[i])
                continue;
            if (!specs_[i]->in().is_void)
                throw GraphError(fmt::format("agdf::Graph::run: node '{0}' takes {1}, but has neither an edge nor a start item. "
                                             "Expected: items from somewhere. Add an edge to it, or run with "
                                             ".start = {{agdf::start(node, item)}}.",
                                             nodes_[i]->name(), specs_[i]->in().name));
            if (items.empty()) {
                begin_by_themselves.push_back(i);
                started[i] = true;
            }
        }
        for (const StartItem& item : items)
            start_node(item.node_of(blueprint_), item.value());
        for (const std::size_t node : begin_by_themselves)
            start_node(node, nullptr);
        mark_sources(started);
    }

    /// Whether a node has something to do before its first item or after its last one.
    [[nodiscard]] bool have_setup() const noexcept { return have_setup_; }

    /// Ends the queues to which nobody sends in this run, whatever edges have come into the graph since it was made.
    void close_unfed_queues() noexcept
    {
        for (const auto& node : nodes_)
            if (!node->has_producers())
                node->close_input();
    }

    /// Destroys the workers that sleep in queues of ours; those in Asio's are destroyed by Asio.
    void abandon() noexcept
    {
        for (const auto& lane : lanes_)
            lane->abandon();
        for (const auto& workers : workers_)
            for (WorkerBase* const worker : workers)
                worker->abandon_all();
        for (const auto& node : nodes_)
            node->abandon_waiters();
    }

private:
    void make_nodes(RunState& run)
    {
        const std::vector<Place> places = place_nodes();
        for (std::size_t i = 0; i < blueprint_.size(); ++i) {
            specs_.push_back(blueprint_.shared_node(i));
            const NodeSpec& spec = *specs_.back();
            have_setup_ = have_setup_ || spec.options().setup || spec.options().teardown || spec.facts().makes_bodies;
            nodes_.push_back(spec.make_run(run, places[i].sharing));
            std::size_t next = places[i].lane;
            nodes_.back()->make_workers([&]() -> Lane& { return *lanes_[next++ % lanes_.size()]; });
            for (std::size_t w = 0; w < nodes_.back()->worker_count(); ++w)
                workers_[(places[i].lane + w) % lanes_.size()].push_back(&nodes_.back()->worker(w));
        }
    }

    /// Where a node's first worker runs, the others being on the next lanes, and who uses its queue.
    struct Place {
        std::size_t lane = 0;
        Sharing sharing = Sharing::one_strand;
        bool has_one_worker = true;
        std::size_t producers = 0;  // workers that put into its queue
        bool is_crossed = false;    // some of them from other strands
    };

    /// Neighbours share a lane as far as that spreads the nodes over all lanes: what flows between them needs no lock.
    [[nodiscard]] std::vector<Place> place_nodes() const
    {
        std::vector<Place> places(blueprint_.size());
        if (lanes_.size() == 1)
            return places;
        const std::vector<std::size_t> positions = blueprint_.positions();
        for (std::size_t i = 0; i < places.size(); ++i) {
            places[i].lane = positions[i] * lanes_.size() / places.size();
            places[i].has_one_worker = blueprint_.shared_node(i)->options().workers == 1;
        }
        for (std::size_t i = 0; i < places.size(); ++i)
            for (const EdgeSpec& edge : blueprint_.edges_of(i)) {
                if (edge.label == EdgeLabel::input) {
                    places[i].has_one_worker = false;  // it is the other node's worker that takes from its queue
                    continue;
                }
                places[edge.to].producers += blueprint_.shared_node(i)->options().workers;
                places[edge.to].is_crossed |= !places[i].has_one_worker || places[i].lane != places[edge.to].lane;
            }
        for (Place& place : places) {
            if (!place.has_one_worker || (place.is_crossed && place.producers > 1))
                place.sharing = Sharing::many_strands;
            else if (place.is_crossed)
                place.sharing = Sharing::two_strands;
        }
        return places;
    }

    void connect_nodes()
    {
        for (std::size_t i = 0; i < blueprint_.size(); ++i) {
            for (const EdgeSpec& edge : blueprint_.edges_of(i)) {
                if (edge.label == EdgeLabel::input) {
                    specs_[edge.to]->attach_input(*nodes_[edge.to], *nodes_[i]);
                    continue;
                }
                if (edge.label == EdgeLabel::error) {
                    static_cast<const ErrorEdgeMaker&>(*edge.maker).attach(*nodes_[i], *nodes_[edge.to]);
                    nodes_[i]->pass_on_dead_letters();
                    nodes_[edge.to]->take_dead_letters();
                } else {
                    specs_[i]->connect(*nodes_[i], *edge.maker, *nodes_[edge.to]);
                }
                nodes_[i]->add_consumer(*nodes_[edge.to]);
                nodes_[edge.to]->add_producer();
            }
        }
    }

    void check_start(std::size_t index, const StartValue* value) const
    {
        const NodeSpec& spec = *specs_[index];
        if (!value) {
            if (!spec.in().is_void)
                throw GraphError(fmt::format("agdf::start('{}'): the node takes {}. Expected: an item for it. Call "
                                             "agdf::start(node, item).",
                                             spec.name(), spec.in().name));
            return;
        }
        if (spec.in().is_void)
            throw GraphError(fmt::format("agdf::start('{}', item): the node takes nothing, but the item is {}. Expected: no item. Call "
                                         "agdf::start(\"{}\").",
                                         spec.name(), value->type().name, spec.name()));
        if (value->type().id != spec.in().id)
            throw GraphError(fmt::format("agdf::start('{}', item): the node takes {}, but the item is {}. Expected: the same type. "
                                         "Convert the item, or name the node by its handle, which allows conversions.",
                                         spec.name(), spec.in().name, value->type().name));
        value->check_unused(*nodes_[index]);
    }

    void start_node(std::size_t index, StartValue* value)
    {
        if (value)
            value->add_to(*nodes_[index]);
        else
            specs_[index]->add_start_unit(*nodes_[index]);
    }

    /// A source is where items come into being in this run: a stop cancels it, while the others finish what they have.
    void mark_sources(const std::vector<bool>& started)
    {
        std::vector<bool> active = started;
        std::vector<bool> is_fed(nodes_.size());
        std::vector<std::size_t> stack;
        for (std::size_t i = 0; i < nodes_.size(); ++i) {
            if (specs_[i]->facts().sees_whole_stream)
                active[i] = true;  // it may yield at the end of a stream without items
            if (active[i])
                stack.push_back(i);
        }
        while (!stack.empty()) {
            const std::size_t node = stack.back();
            stack.pop_back();
            for (const EdgeSpec& edge : blueprint_.edges_of(node)) {
                is_fed[edge.to] = true;
                if (!active[edge.to]) {
                    active[edge.to] = true;
                    stack.push_back(edge.to);
                }
            }
        }
        for (std::size_t i = 0; i < nodes_.size(); ++i)
            if (started[i] && !is_fed[i] && !specs_[i]->facts().sees_whole_stream)
                for (std::size_t w = 0; w < nodes_[i]->worker_count(); ++w)
                    nodes_[i]->worker(w).be_source();
    }

    const Blueprint& blueprint_;
    std::vector<std::shared_ptr<const NodeSpec>> specs_;  // the bodies
    std::vector<std::shared_ptr<Lane>> lanes_;
    std::vector<std::unique_ptr<NodeRun>> nodes_;
    std::vector<std::vector<WorkerBase*>> workers_;  // by lane
    bool have_setup_ = false;
};

}  // namespace agdf::detail
