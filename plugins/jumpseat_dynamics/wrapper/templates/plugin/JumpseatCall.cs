using System;
using System.IO;
using System.Net.Http;
using System.Runtime.Serialization;
using System.Runtime.Serialization.Json;
using System.Text;
using Microsoft.Xrm.Sdk;
using Microsoft.Xrm.Sdk.Messages;
using Microsoft.Xrm.Sdk.Query;

namespace Jumpseat.Dataverse
{
    /// <summary>
    /// The custom APIs jmp_JumpseatLaunch and jmp_JumpseatActions: asks the host for the user who calls and a record that they may read.
    /// The API key comes from Azure Key Vault through the environment variable jmp_JumpseatKey and never reaches a browser.
    /// </summary>
    public sealed class JumpseatCall : IPlugin
    {
        private const string Source = "{{ source }}";
        private static readonly HttpClient Client = new HttpClient { Timeout = TimeSpan.FromSeconds(15) };

        /// <summary>Runs in the main operation of both custom APIs.</summary>
        public void Execute(IServiceProvider provider)
        {
            var context = (IPluginExecutionContext)provider.GetService(typeof(IPluginExecutionContext));
            var factory = (IOrganizationServiceFactory)provider.GetService(typeof(IOrganizationServiceFactory));
            var name = Text(context, "RecordObject");
            Guid id;
            if (name.Length == 0 || !Guid.TryParse(Text(context, "RecordId"), out id))
            {
                throw new InvalidPluginExecutionException("Name the record by RecordObject and RecordId.");
            }

            // As the user who calls: the platform itself refuses a record that they may not read.
            factory.CreateOrganizationService(context.InitiatingUserId).Retrieve(name, id, new ColumnSet(false));
            var system = factory.CreateOrganizationService(null);
            var url = Variable(system, "jmp_JumpseatUrl").TrimEnd('/');
            var isLaunch = context.MessageName == "jmp_JumpseatLaunch";
            var request = isLaunch ? LaunchRequest(url, name, id) : ActionsRequest(url, name, id);
            request.Headers.Add("Authorization", "Bearer " + Secret(system, "jmp_JumpseatKey"));
            request.Headers.Add("Jumpseat-Supporter", context.InitiatingUserId.ToString("D"));
            var answer = Sent(request);
            if (isLaunch)
            {
                context.OutputParameters["Url"] = Read<LaunchAnswer>(answer).Url;
            }
            else
            {
                context.OutputParameters["Actions"] = answer;
            }
        }

        private static HttpRequestMessage LaunchRequest(string url, string name, Guid id)
        {
            var body = "{\"object\": \"" + Plain(name) + "\", \"recordId\": \"" + id.ToString("D") + "\", \"source\": \"" + Source + "\"}";
            return new HttpRequestMessage(HttpMethod.Post, url + "/v1/launches")
            {
                Content = new StringContent(body, Encoding.UTF8, "application/json")
            };
        }

        private static HttpRequestMessage ActionsRequest(string url, string name, Guid id)
        {
            var path = "/v1/records/" + Plain(name) + "/" + id.ToString("D") + "/actions?source=" + Source;
            return new HttpRequestMessage(HttpMethod.Get, url + path);
        }

        private static string Sent(HttpRequestMessage request)
        {
            HttpResponseMessage response;
            string body;
            try
            {
                response = Client.SendAsync(request).GetAwaiter().GetResult();
                body = response.Content.ReadAsStringAsync().GetAwaiter().GetResult();
            }
            catch (Exception)
            {
                // The exception may name the address with its header; the user is told what helps.
                throw new InvalidPluginExecutionException("The remote-support host does not answer. Try again in a minute.");
            }

            if (!response.IsSuccessStatusCode)
            {
                var detail = Refusal(body);
                throw new InvalidPluginExecutionException(detail ?? "The remote-support host refused (" + (int)response.StatusCode + ").");
            }

            return body;
        }

        private static string Refusal(string body)
        {
            try
            {
                return Read<ProblemAnswer>(body).Detail;
            }
            catch (SerializationException)
            {
                return null;
            }
        }

        private static string Variable(IOrganizationService service, string name)
        {
            var query = new QueryExpression("environmentvariabledefinition") { ColumnSet = new ColumnSet("defaultvalue") };
            query.Criteria.AddCondition("schemaname", ConditionOperator.Equal, name);
            var link = query.AddLink(
                "environmentvariablevalue", "environmentvariabledefinitionid", "environmentvariabledefinitionid", JoinOperator.LeftOuter);
            link.Columns = new ColumnSet("value");
            link.EntityAlias = "current";
            var found = service.RetrieveMultiple(query).Entities;
            var value = found.Count == 0 ? null : found[0].GetAttributeValue<AliasedValue>("current.value")?.Value as string;
            value = value ?? (found.Count == 0 ? null : found[0].GetAttributeValue<string>("defaultvalue"));
            if (string.IsNullOrEmpty(value))
            {
                throw new InvalidPluginExecutionException("The environment variable " + name + " has no value.");
            }

            return value;
        }

        private static string Secret(IOrganizationService service, string name)
        {
            var request = new OrganizationRequest("RetrieveEnvironmentVariableSecretValue");
            request["EnvironmentVariableName"] = name;
            return (string)service.Execute(request)["EnvironmentVariableSecretValue"];
        }

        private static string Text(IPluginExecutionContext context, string name)
        {
            object value;
            return context.InputParameters.TryGetValue(name, out value) ? (value as string ?? string.Empty).Trim() : string.Empty;
        }

        /// <summary>A logical name holds small letters, digits and underscores; anything else must not reach the address.</summary>
        private static string Plain(string name)
        {
            foreach (var one in name)
            {
                if (!(one >= 'a' && one <= 'z') && !(one >= '0' && one <= '9') && one != '_')
                {
                    throw new InvalidPluginExecutionException("That is not the logical name of a table.");
                }
            }

            return name;
        }

        private static T Read<T>(string body)
        {
            using (var stream = new MemoryStream(Encoding.UTF8.GetBytes(body)))
            {
                return (T)new DataContractJsonSerializer(typeof(T)).ReadObject(stream);
            }
        }

        [DataContract]
        private sealed class LaunchAnswer
        {
            [DataMember(Name = "url", IsRequired = true)]
            public string Url { get; set; }
        }

        [DataContract]
        private sealed class ProblemAnswer
        {
            [DataMember(Name = "detail")]
            public string Detail { get; set; }
        }
    }
}
